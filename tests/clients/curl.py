"""The curl program, a process a request.

    curl.py URL CA USER PASSWORD --http1.1|--http2
"""

import json
import subprocess
import sys

import rounds

url, ca, user, password, version = sys.argv[1:]
REST = "/API/rest/v1"
token = None


def curl(path, *options, spoken=None):
    command = ["curl", "-sS", "--max-time", "20", version, "-w", "\n%{http_code} %{http_version}", *options]
    if ca:
        command += ["--cacert", ca]
    done = subprocess.run([*command, url + path], capture_output=True, text=True, check=False)
    rounds.expect(done.returncode == 0, path, done.stderr)
    body, trailer = done.stdout.rsplit("\n", 1)
    status, used = trailer.split()
    wanted = spoken or ("2" if version == "--http2" and url.startswith("https") else "1.1")
    rounds.expect(used == wanted, f"HTTP/{used} was spoken")
    return int(status), json.loads(body)


def rest(method, path, expected=200, data=None):
    options = ["-X", method, "-H", f"Authorization: Bearer {token}"]
    if data is not None:
        options += ["-H", "Content-Type: application/json", "-d", json.dumps(data)]
    status, body = curl(REST + path, *options)
    if status == 401:
        raise rounds.SignInAgain(body)
    rounds.expect(status == expected, method, path, status, body)
    return body


def log_in():
    global token
    client = "client_id=GrantValidatorClient"
    if "\\" in user:
        # NTLM is of HTTP/1.1 only; curl goes back to it by itself.
        form = ["--ntlm", "-u", f"{user}:{password}", "-d", f"grant_type=windows_credentials&{client}"]
        status, body = curl("/IDP/connect/token", *form, spoken="1.1")
    else:
        form = f"grant_type=password&username={user}&password={password}&{client}"
        status, body = curl("/API/IDP/connect/token", "-d", form)
    rounds.expect(status == 200, status, body)
    token = body["access_token"]


def cameras():
    found = rest("GET", "/cameras?disabled")["array"]
    rounds.expect(len(found) == 50, len(found))
    return found


def camera():
    wanted = cameras()[0]
    rounds.expect(rest("GET", f"/cameras/{wanted['id']}")["data"]["name"] == wanted["name"], wanted)


def user_defined_event():
    created = rest("POST", "/userDefinedEvents", 201, {"name": "made by curl"})["result"]
    item = f"/userDefinedEvents/{created['id']}"
    rounds.expect(rest("PATCH", item, data={"name": "changed"})["data"]["name"] == "changed")
    rounds.expect(rest("DELETE", item)["state"] == "Success")
    rest("GET", item, 404)


def no_right():
    rest("POST", "/userDefinedEvents", 403, {"name": "not allowed"})


def discovery():
    status, found = curl("/API/.well-known/uris")
    rounds.expect(status == 200 and found["ApiGateways"] == [f"{url}/API/"], found)


write = ("POST, PATCH, DELETE /userDefinedEvents", user_defined_event)
rounds.play(
    log_in,
    [
        ("discovery", discovery),
        ("GET /cameras", cameras),
        ("GET /cameras/{id}", camera),
        write if user == "admin" else ("a write without the right", no_right),
    ],
)
