-- The absence brake: when suddenly far more known things than usual are "not found", it is the API
-- that is wrong, not the world. While it is on, nothing is hidden and nothing is purged.
--
-- Jobs only count: one row per kind and ten minutes, checks of living entities and how many were denied.
-- The trigger compares the last two slots of ten minutes with the week before them, leaving out slots
-- spent under the brake (else a long outage would become the new normal), and keeps one row per kind
-- in `absence` for whoever watches: braked_since is set while the brake is on.
CREATE TABLE absence_counts (
    kind    TEXT NOT NULL,
    slot    INTEGER NOT NULL,               -- wall seconds / 600
    at      REAL NOT NULL,                  -- of the last count
    checked INTEGER NOT NULL,
    missed  INTEGER NOT NULL,
    braked  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, slot)
) WITHOUT ROWID;

CREATE TABLE absence (
    kind         TEXT PRIMARY KEY,
    checked      INTEGER NOT NULL,          -- in the last two slots
    missed       INTEGER NOT NULL,
    baseline     REAL NOT NULL,             -- usual share of missed, ≥ 0.02
    braked_since REAL,
    updated_at   REAL NOT NULL
) WITHOUT ROWID;

-- Each slot with the two slots that end in it, and the share that was usual before those.
CREATE VIEW absence_shares AS
SELECT c.kind AS kind, c.slot AS slot, c.at AS at,
       (SELECT sum(checked) FROM absence_counts r
         WHERE r.kind = c.kind AND r.slot BETWEEN c.slot - 1 AND c.slot) AS checked,
       (SELECT sum(missed) FROM absence_counts r
         WHERE r.kind = c.kind AND r.slot BETWEEN c.slot - 1 AND c.slot) AS missed,
       -- 2 %: a quiet week must not make a few denials an alarm; it also stands in for a week not yet seen.
       max(0.02, coalesce((SELECT sum(missed) * 1.0 / sum(checked) FROM absence_counts b
                            WHERE b.kind = c.kind AND b.slot BETWEEN c.slot - 1008 AND c.slot - 2
                              AND NOT b.braked), 0)) AS baseline
  FROM absence_counts c;

-- Hits alone cannot start a brake, so they are looked at only while one is on. The first count of a
-- slot is an insert and waits for the second: one denial decides nothing.
CREATE TRIGGER absence_counted AFTER UPDATE OF checked ON absence_counts
  WHEN NEW.missed > OLD.missed OR EXISTS (SELECT 1 FROM absence WHERE kind = NEW.kind AND braked_since IS NOT NULL)
BEGIN
    -- Twenty: fewer are a handful of friends who left, whatever their share.
    INSERT INTO absence (kind, checked, missed, baseline, braked_since, updated_at)
    SELECT kind, checked, missed, baseline,
           CASE WHEN missed >= 20 AND missed > 5 * baseline * checked THEN at END, at
      FROM absence_shares WHERE kind = NEW.kind AND slot = NEW.slot
    ON CONFLICT (kind) DO UPDATE SET
        checked = excluded.checked, missed = excluded.missed, baseline = excluded.baseline,
        updated_at = excluded.updated_at,
        -- Released by as many checks as it takes to start it, and a usual share: silence proves nothing.
        braked_since = CASE WHEN excluded.braked_since IS NOT NULL
                            THEN coalesce(absence.braked_since, excluded.braked_since)
                            WHEN excluded.checked < 20 OR excluded.missed > 5 * excluded.baseline * excluded.checked
                            THEN absence.braked_since END;
    DELETE FROM absence_counts WHERE kind = NEW.kind AND slot < NEW.slot - 2000;
    UPDATE absence_counts SET braked = 1
     WHERE kind = NEW.kind AND slot BETWEEN NEW.slot - 1 AND NEW.slot
       AND EXISTS (SELECT 1 FROM absence WHERE kind = NEW.kind AND braked_since IS NOT NULL);
END;

CREATE VIEW absence_braked AS SELECT kind FROM absence WHERE braked_since IS NOT NULL;
