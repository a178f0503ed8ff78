"""requests for REST (with requests-ntlm for Windows users) and websockets for events, as people write it.

    plain.py URL CA USER PASSWORD
"""

import asyncio
import sys

import client
import rounds

url, ca, user, password = sys.argv[1:]
session = client.Client(url, ca, user, password)


def rest(method, path, expected=200, **body):
    reply = session.http.request(method, url + client.REST + path, timeout=20, **body)
    if reply.status_code == 401:
        raise rounds.SignInAgain(reply.text)
    rounds.expect(reply.status_code == expected, method, path, reply.status_code, reply.text)
    return reply.json()


def cameras():
    found = rest("GET", "/cameras?disabled")["array"]
    rounds.expect(len(found) == 50, len(found))
    return found


def camera():
    wanted = cameras()[0]
    rounds.expect(rest("GET", f"/cameras/{wanted['id']}")["data"]["name"] == wanted["name"], wanted)


def user_defined_event():
    created = rest("POST", "/userDefinedEvents", 201, json={"name": "made by requests"})["result"]
    item = f"/userDefinedEvents/{created['id']}"
    changed = rest("PATCH", item, json={"name": "changed"})["data"]
    rounds.expect(changed["name"] == "changed", changed)
    rounds.expect(rest("DELETE", item)["state"] == "Success")
    rest("GET", item, 404)


def no_right():
    rest("POST", "/userDefinedEvents", 403, json={"name": "not allowed"})


def events():
    try:
        event = asyncio.run(client.first_events(session))[-1]
    except client.websockets.exceptions.InvalidStatus as error:
        if error.response.status_code == 401:
            raise rounds.SignInAgain from error
        raise
    rounds.expect(event["source"] and event["type"] and event["time"].endswith("Z"), event)


write = ("POST, PATCH, DELETE /userDefinedEvents", user_defined_event)
rounds.play(
    session.log_in,
    [
        ("GET /cameras", cameras),
        ("GET /cameras/{id}", camera),
        write if user == "admin" else ("a write without the right", no_right),
        ("events over WebSocket", events),
    ],
)
