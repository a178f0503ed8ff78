"""A Windows user as integrations log one in: requests with requests-ntlm, then REST with the Bearer.

    ntlm.py URL CA
"""

import sys

import requests
from requests_ntlm import HttpNtlmAuth

FORM = {"grant_type": "windows_credentials", "client_id": "GrantValidatorClient"}


def session(ca):
    http = requests.Session()
    # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE win over `verify`.
    http.trust_env = False
    http.verify = ca
    return http


def log_in(http, url, user, password):
    return http.post(f"{url}/IDP/connect/token", data=FORM, auth=HttpNtlmAuth(user, password), timeout=20)


def main(url, ca):
    http = session(ca)
    reply = log_in(http, url, "VMS\\win1", "win1-password")
    assert reply.status_code == 200, (reply.status_code, reply.text)
    headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
    reply = http.get(f"{url}/API/rest/v1/cameras", headers=headers, timeout=20)
    assert reply.status_code == 200, (reply.status_code, reply.text)
    assert reply.json()["array"], reply.text
    # On other connections: a wrong password, and nobody.
    assert log_in(session(ca), url, "VMS\\win1", "wrong").status_code == 401
    nobody = session(ca).post(f"{url}/IDP/connect/token", data=FORM, timeout=20)
    assert nobody.status_code == 401, (nobody.status_code, nobody.text)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
