"""The authorization code flow with PKCE, as a desktop application does it: authlib plays the application, requests the
browser, which posts the login form. Then the refresh token is used, and the login ended.

    codeflow.py URL CA
"""

import html.parser
import sys
import urllib.parse

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

CLIENT = "VmsClient"
REDIRECT = "http://127.0.0.1:5656/"
SCOPE = "openid profile managementserver offline_access"


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes and what it has in it."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")


def untrusting(session, ca):
    # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE win over `verify`.
    session.trust_env = False
    session.verify = ca
    return session


def walk(browser, reply):
    """Follows redirects until one leads to the application, or a page comes."""
    for _ in range(10):
        if reply.status_code != 302:
            return reply, None
        target = urllib.parse.urljoin(reply.url, reply.headers["Location"])
        if target.startswith(REDIRECT):
            return reply, target
        reply = browser.get(target, timeout=20, allow_redirects=False)
    raise AssertionError("it goes round in circles")


def log_in(browser, address, password):
    page, _ = walk(browser, browser.get(address, timeout=20, allow_redirects=False))
    assert page.status_code == 200, (page.status_code, page.text)
    form = Form(page.text)
    form.fields.update(Username="user1", Password=password)
    action = urllib.parse.urljoin(page.url, form.action)
    return walk(browser, browser.post(action, data=form.fields, timeout=20, allow_redirects=False))


def main(url, ca):
    browser = untrusting(requests.Session(), ca)
    known = browser.get(f"{url}/IDP/.well-known/openid-configuration", timeout=20).json()
    client = untrusting(
        OAuth2Session(
            CLIENT,
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
            scope=SCOPE,
            redirect_uri=REDIRECT,
            code_challenge_method="S256",
        ),
        ca,
    )
    verifier, nonce = generate_token(48), generate_token()
    address, state = client.create_authorization_url(
        known["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    page, home = log_in(browser, address, "wrong")
    assert home is None and "Wrong user name or password" in page.text, page.text
    _, home = log_in(browser, address, "user1-password")
    assert home, "no way home"
    # Authlib compares the state.
    token = client.fetch_token(
        known["token_endpoint"], authorization_response=home, state=state, code_verifier=verifier, timeout=20
    )
    keys = KeySet.import_key_set(browser.get(known["jwks_uri"], timeout=20).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    wanted = {"iss": known["issuer"], "aud": CLIENT, "nonce": nonce}
    jwt.JWTClaimsRegistry(**{name: {"essential": True, "value": wanted[name]} for name in wanted}).validate(claims)
    user = client.get(known["userinfo_endpoint"], timeout=20).json()
    assert (user["sub"], user["name"]) == (claims["sub"], "user1"), user

    old = token["refresh_token"]
    token = client.refresh_token(known["token_endpoint"], refresh_token=old, timeout=20)
    assert token["refresh_token"] != old
    reply = client.get(f"{url}/API/rest/v1/cameras", timeout=20)
    assert reply.status_code == 200 and reply.json()["array"], (reply.status_code, reply.text)

    reply = client.revoke_token(
        known["revocation_endpoint"],
        token=token["refresh_token"],
        token_type_hint="refresh_token",
        body=f"client_id={CLIENT}",
        timeout=20,
    )
    assert reply.status_code == 200, (reply.status_code, reply.text)
    ended = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": REDIRECT, "state": "bye"}
    reply = browser.get(known["end_session_endpoint"], params=ended, timeout=20, allow_redirects=False)
    assert reply.headers["Location"] == f"{REDIRECT}?state=bye", reply.headers
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
