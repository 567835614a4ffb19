"""Who and what exists: a pure function of the seed and of the entity, plus what tests have changed by request."""
