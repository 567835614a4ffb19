"""What a power cut may leave of files: a recorder of real writes, and the disks that a cut at any moment may leave."""
