"""The exceptions that a person reads."""


class ClusterError(Exception):
    """What went wrong and what to do next, in words for the person at the terminal. Commands print it and end with this code."""

    exit_code = 1


class UsageError(ClusterError):
    """What was asked for, on the command line or in the environment, makes no sense."""

    exit_code = 2
