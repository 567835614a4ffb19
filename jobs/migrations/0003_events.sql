-- History: what changed, and the span in which it must have happened (seen_from, seen_until].
--
-- entity: a character's or a guild's. subject: the member of a guild's event, else ''.
--   characters  NAME RACE GENDER FACTION GUILD REALM
--   guilds      NAME REALM FACTION · JOIN LEAVE PROMOTE DEMOTE (before, after: ranks) · MASTER (before, after: members)
-- One scan (job under one lease) says each thing once: a replay adds nothing.
CREATE TABLE events (
    entity     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL DEFAULT '',
    before     TEXT NOT NULL,
    after      TEXT NOT NULL,
    seen_from  REAL,
    seen_until REAL NOT NULL,
    job        INTEGER NOT NULL,
    lease      INTEGER NOT NULL,
    PRIMARY KEY (entity, seen_until, kind, subject, job, lease)
) WITHOUT ROWID;

CREATE INDEX events_by_subject ON events (subject, seen_until) WHERE subject <> '';
