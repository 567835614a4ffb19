"""The jobs: World of Warcraft data from the Blizzard API, one worker a file."""
