-- Items. Parameters that always exist here: :region, :item, :now.

-- name: items_context
SELECT last_attempt_at, item_success_at, media_success_at, gone_since
FROM items
WHERE id = :item;

-- name: item_upsert
-- Names of locales that this answer did not bring stay.
INSERT INTO items (
    id, region, name, names, quality, class_id, class, subclass_id, subclass, inventory_type, level,
    required_level, purchase_price, sell_price, is_equippable, is_stackable,
    seen_at, last_attempt_at, item_success_at
)
VALUES (
    :item, :region, :name, :names, :quality, :class_id, :class, :subclass_id, :subclass, :inventory_type, :level,
    :required_level, :purchase_price, :sell_price, :is_equippable, :is_stackable,
    :now, :now, :now
)
ON CONFLICT (id) DO UPDATE SET
    region = excluded.region,
    name = excluded.name,
    names = json_patch(coalesce(names, '{}'), excluded.names),
    quality = excluded.quality,
    class_id = excluded.class_id,
    class = excluded.class,
    subclass_id = excluded.subclass_id,
    subclass = excluded.subclass,
    inventory_type = excluded.inventory_type,
    level = excluded.level,
    required_level = excluded.required_level,
    purchase_price = excluded.purchase_price,
    sell_price = excluded.sell_price,
    is_equippable = excluded.is_equippable,
    is_stackable = excluded.is_stackable,
    last_attempt_at = excluded.last_attempt_at,
    item_success_at = excluded.item_success_at,
    gone_since = NULL;

-- name: item_media
-- Nulls: the API has no media for the item, or calls it by another name: what was known stays.
UPDATE items
SET icon = coalesce(:icon, icon), icon_url = coalesce(:icon_url, icon_url), media_success_at = :now
WHERE id = :item;

-- name: item_gone
-- What was read before stays: an item that left the game is still in history.
INSERT INTO items (id, region, seen_at, last_attempt_at, gone_since)
VALUES (:item, :region, :now, :now, :now)
ON CONFLICT (id) DO UPDATE SET
    last_attempt_at = excluded.last_attempt_at,
    gone_since = coalesce(gone_since, excluded.gone_since);

-- name: item_attempted
-- It answered in a shape that we cannot read: asked, known, not fresh.
INSERT INTO items (id, region, seen_at, last_attempt_at)
VALUES (:item, :region, :now, :now)
ON CONFLICT (id) DO UPDATE SET last_attempt_at = excluded.last_attempt_at;

-- name: items_stale
-- "Seen" is when we first met the item, in a house or by asking.
SELECT region || '/' || id AS entity
FROM items
WHERE last_attempt_at <= :due_before AND seen_at >= :seen_after AND seen_at < :seen_before
ORDER BY last_attempt_at
LIMIT :limit;

-- name: items_ages
SELECT seen_at, item_success_at AS success_at
FROM items
WHERE item_success_at IS NOT NULL AND gone_since IS NULL;

-- name: items_show
SELECT * FROM items WHERE id = :item;
