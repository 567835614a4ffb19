-- name: deed_done
INSERT INTO deed_effects (deed, job, at) VALUES (:deed, :job, :now);
