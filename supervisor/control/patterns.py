"""How each worker's entities are written, for whoever has to tell them apart ("region/realm/name")."""

import functools

from supervisor.settings.packages import kind_of, manifest, package_folder


@functools.lru_cache(maxsize=256)
def entity_pattern(job: str, path: str) -> str:
    """Return the pattern in the manifest of a job's package, "" when it has none.

    Read once: a few small files, and a package does not change under a running program.
    """
    folder = package_folder(job, path)
    pattern = manifest(folder).get(kind_of(job), {}).get("entity", "") if folder else ""
    return pattern if isinstance(pattern, str) else ""
