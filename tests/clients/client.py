"""An XProtect client as people write them: requests for REST, websockets for events.

    client.py URL CA    works until a line comes on standard input, logging in again when it gets a 401,
                        then prints what happened as one line of JSON
"""

import asyncio
import json
import ssl
import sys
import threading
import time

import requests
import websockets
from requests_ntlm import HttpNtlmAuth

REST = "/API/rest/v1"
EVERYTHING = [{"modifier": "include", "resourceTypes": ["*"], "sourceIds": ["*"], "eventTypes": ["*"]}]


class Client:
    def __init__(self, url, ca, user="admin", password="admin-password"):
        self.url = url
        self.ca = ca
        self.user = user
        self.password = password
        self.http = requests.Session()
        # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE win over `verify`.
        self.http.trust_env = False
        self.http.verify = ca

    def log_in(self):
        form = {"client_id": "GrantValidatorClient"}
        if "\\" in self.user:
            # Windows users: the handshake is on the connection, and /API/IDP does not carry it.
            form["grant_type"] = "windows_credentials"
            path, auth = "/IDP/connect/token", HttpNtlmAuth(self.user, self.password)
        else:
            form |= {"grant_type": "password", "username": self.user, "password": self.password}
            path, auth = "/API/IDP/connect/token", None
        self.http.headers.pop("Authorization", None)
        reply = self.http.post(self.url + path, data=form, auth=auth, timeout=20)
        reply.raise_for_status()
        body = reply.json()
        assert isinstance(body["expires_in"], int), body
        self.http.headers["Authorization"] = f"Bearer {body['access_token']}"

    def socket(self):
        context = ssl.create_default_context(cafile=self.ca)
        address = self.url.replace("https://", "wss://") + "/api/ws/events/v1"
        headers = {"Authorization": self.http.headers["Authorization"]}
        return websockets.connect(address, ssl=context, additional_headers=headers, max_size=None, open_timeout=20)


async def command(socket, **members):
    await socket.send(json.dumps(members))
    while True:
        reply = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if reply.get("commandId") == members["commandId"]:
            assert 200 <= reply["status"] < 300, reply
            return reply


async def subscribe(socket):
    await command(socket, command="startSession", commandId=1, sessionId="", eventId="")
    await command(socket, command="addSubscription", commandId=2, filters=EVERYTHING)


async def first_events(client):
    async with client.socket() as socket:
        await subscribe(socket)
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 20))
            if "events" in frame:
                return frame["events"]


async def listen(client, report, stopped):
    """Events, with a new socket whenever the old one ends; its token comes from whoever logged in last."""
    while not stopped.is_set():
        try:
            async with client.socket() as socket:
                await subscribe(socket)
                report["sockets"] += 1
                while not stopped.is_set():
                    frame = json.loads(await asyncio.wait_for(socket.recv(), 1))
                    report["events"] += len(frame.get("events", []))
        except asyncio.TimeoutError:
            # A quiet second: look at `stopped`, open the socket again.
            continue
        except (OSError, websockets.exceptions.WebSocketException, AssertionError):
            await asyncio.sleep(0.2)


def across(client):
    report = {"good": 0, "logins": 1, "failures": [], "sockets": 0, "events": 0}
    stopped = threading.Event()
    client.log_in()
    listener = threading.Thread(target=lambda: asyncio.run(listen(client, report, stopped)))
    listener.start()
    waiter = threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True)
    waiter.start()
    opened, seen_before = 0, 0
    said = False
    while not stopped.is_set():
        try:
            reply = client.http.get(client.url + REST + "/cameras", timeout=20)
            if reply.status_code == 401:
                client.log_in()
                report["logins"] += 1
            elif reply.status_code == 200:
                report["good"] += 1
            else:
                report["failures"].append(f"{reply.status_code} {reply.text[:200]}")
        except requests.RequestException as error:
            report["failures"].append(repr(error))
        if report["sockets"] != opened:
            opened, seen_before = report["sockets"], report["events"]
        if not said and report["good"] > 20 and report["events"] > 0:
            print("working", flush=True)
            said = True
        if said and opened > 1 and report["events"] > seen_before and report["good"] > 60:
            print("recovered", flush=True)
        time.sleep(0.02)
    listener.join()
    print("report " + json.dumps(report), flush=True)


if __name__ == "__main__":
    across(Client(*sys.argv[1:]))
