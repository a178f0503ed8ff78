"""aiohttp for everything: one session, REST and WebSockets.

    aio.py URL CA USER PASSWORD
"""

import asyncio
import json
import ssl
import sys

import aiohttp
import rounds

url, ca, user, password = sys.argv[1:]
REST = url + "/API/rest/v1"
EVENTS = url + "/api/ws/events/v1"
EVERYTHING = [{"modifier": "include", "resourceTypes": ["*"], "sourceIds": ["*"], "eventTypes": ["*"]}]


class Vms:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.http = self.loop.run_until_complete(self.open())
        self.token = None

    async def open(self):
        tls = ssl.create_default_context(cafile=ca) if url.startswith("https") else False
        timeout = aiohttp.ClientTimeout(total=20)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=timeout)

    def run(self, call):
        return lambda: self.loop.run_until_complete(call())

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    async def log_in(self):
        form = {
            "grant_type": "password",
            "username": user,
            "password": password,
            "client_id": "GrantValidatorClient",
        }
        async with self.http.post(url + "/API/IDP/connect/token", data=form) as reply:
            rounds.expect(reply.status == 200, reply.status, await reply.text())
            self.token = (await reply.json())["access_token"]

    async def get(self, path):
        async with self.http.get(REST + path, headers=self.headers) as reply:
            if reply.status == 401:
                raise rounds.SignInAgain(await reply.text())
            rounds.expect(reply.status == 200, path, reply.status, await reply.text())
            return await reply.json()

    async def cameras(self):
        found = (await self.get("/cameras?disabled"))["array"]
        rounds.expect(len(found) == 50, len(found))
        return found

    async def at_once(self):
        """Many requests at the same time, over as many connections."""
        cameras = (await self.cameras())[:20]
        answers = await asyncio.gather(*(self.get(f"/cameras/{camera['id']}") for camera in cameras))
        names = [answer["data"]["name"] for answer in answers]
        rounds.expect(names == [camera["name"] for camera in cameras], names)

    async def events(self):
        await self.listen(self.headers, [])

    async def events_in_band(self):
        await self.listen({}, [{"command": "authenticate", "token": f"Bearer {self.token}"}])

    async def listen(self, headers, first):
        try:
            async with self.http.ws_connect(EVENTS, headers=headers, heartbeat=5, max_msg_size=0) as socket:
                commands = [
                    *first,
                    {"command": "startSession", "sessionId": "", "eventId": ""},
                    {"command": "addSubscription", "filters": EVERYTHING},
                    {"command": "getState"},
                ]
                for number, command in enumerate(commands):
                    await socket.send_str(json.dumps({**command, "commandId": number}))
                    while (reply := await socket.receive_json(timeout=20)).get("commandId") != number:
                        rounds.expect(reply["events"], "a frame of events has some")
                    if reply["status"] == 401:
                        raise rounds.SignInAgain(reply)
                    rounds.expect(200 <= reply["status"] < 300, reply)
                while not (frame := await socket.receive_json(timeout=20)).get("events"):
                    pass
                rounds.expect(frame["events"][-1]["specversion"] == "1.0", frame)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 401:
                raise rounds.SignInAgain from error
            raise


vms = Vms()
rounds.play(
    vms.run(vms.log_in),
    [
        ("GET /cameras", vms.run(vms.cameras)),
        ("20 requests at once", vms.run(vms.at_once)),
        ("events, token in the header", vms.run(vms.events)),
        ("events, authenticate in band", vms.run(vms.events_in_band)),
    ],
)
vms.loop.run_until_complete(vms.http.close())
