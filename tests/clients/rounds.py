"""How a client script talks to the test that runs it.

A script logs in, makes all its calls and prints `round {"calls": {name: "ok" or what went wrong}, "logins": n}`. For every
line on its standard input it makes them all again, with the session that it has: the test may have killed the primary
meanwhile. A call that is refused for its token makes the script log in again, once a round, as its users have to; the
number of logins says so.
"""

import json
import sys


class SignInAgain(Exception):
    """The server wants a new login."""


def play(log_in, calls):
    """`calls` gives (name, function) pairs; a function raises when its answer is not what it should be."""
    log_in()
    logins = 1
    while True:
        results = {}
        renewed = False
        for name, call in calls:
            try:
                try:
                    call()
                except SignInAgain:
                    if renewed:
                        raise
                    renewed = True
                    log_in()
                    logins += 1
                    call()
                results[name] = "ok"
            except Exception as error:  # whatever a client library throws is what its user would see
                results[name] = f"{type(error).__name__}: {error}"[:500]
        print("round " + json.dumps({"calls": results, "logins": logins}), flush=True)
        if not sys.stdin.readline():
            return


def expect(condition, *what):
    if not condition:
        raise AssertionError(*what)
