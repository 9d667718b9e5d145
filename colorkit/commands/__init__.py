"""The commands, one file per command. They import what is heavy when they run."""
