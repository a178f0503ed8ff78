"""The authorization code flow with PKCE, as a desktop application does it: authlib plays the application, requests the
browser, which posts the login form. Then the refresh token is used, and the login ended. Every round is a new login.

    codeflow.py URL CA USER PASSWORD
"""

import html.parser
import sys
import urllib.parse

import requests
import rounds
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

url, ca, user, password = sys.argv[1:]
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


class Flow:
    """One user at one application; a step is a method."""

    def begin(self):
        self.browser = self.trusting(requests.Session())
        self.known = self.browser.get(f"{url}/IDP/.well-known/openid-configuration", timeout=20).json()
        self.client = self.trusting(
            OAuth2Session(
                CLIENT,
                token_endpoint_auth_method="none",
                revocation_endpoint_auth_method="none",
                scope=SCOPE,
                redirect_uri=REDIRECT,
                code_challenge_method="S256",
            )
        )
        self.verifier, self.nonce = generate_token(48), generate_token()
        self.address, self.state = self.client.create_authorization_url(
            self.known["authorization_endpoint"], code_verifier=self.verifier, nonce=self.nonce
        )

    @staticmethod
    def trusting(session):
        # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE win over `verify`.
        session.trust_env = False
        session.verify = ca
        return session

    def fill_in(self, secret):
        page, _ = walk(self.browser, self.browser.get(self.address, timeout=20, allow_redirects=False))
        rounds.expect(page.status_code == 200, page.status_code, page.text)
        form = Form(page.text)
        form.fields.update(Username=user, Password=secret)
        action = urllib.parse.urljoin(page.url, form.action)
        reply = self.browser.post(action, data=form.fields, timeout=20, allow_redirects=False)
        return walk(self.browser, reply)

    def wrong_password(self):
        page, home = self.fill_in("wrong")
        rounds.expect(home is None and "Wrong user name or password" in page.text, page.text)

    def log_in(self):
        _, self.home = self.fill_in(password)
        rounds.expect(self.home, "no way home")

    def redeem(self):
        # Authlib compares the state.
        self.token = self.client.fetch_token(
            self.known["token_endpoint"],
            authorization_response=self.home,
            state=self.state,
            code_verifier=self.verifier,
            timeout=20,
        )

    def identity(self):
        keys = KeySet.import_key_set(self.browser.get(self.known["jwks_uri"], timeout=20).json())
        claims = jwt.decode(self.token["id_token"], keys, algorithms=["RS256"]).claims
        wanted = {"iss": self.known["issuer"], "aud": CLIENT, "nonce": self.nonce}
        registry = jwt.JWTClaimsRegistry(**{name: {"essential": True, "value": wanted[name]} for name in wanted})
        registry.validate(claims)
        found = self.client.get(self.known["userinfo_endpoint"], timeout=20).json()
        rounds.expect((found["sub"], found["name"]) == (claims["sub"], user), found)

    def refresh(self):
        old = self.token["refresh_token"]
        self.token = self.client.refresh_token(self.known["token_endpoint"], refresh_token=old, timeout=20)
        rounds.expect(self.token["refresh_token"] != old, "the same refresh token again")

    def cameras(self):
        reply = self.client.get(f"{url}/API/rest/v1/cameras", timeout=20)
        rounds.expect(reply.status_code == 200 and reply.json()["array"], reply.status_code, reply.text)

    def revoke(self):
        reply = self.client.revoke_token(
            self.known["revocation_endpoint"],
            token=self.token["refresh_token"],
            token_type_hint="refresh_token",
            body=f"client_id={CLIENT}",
            timeout=20,
        )
        rounds.expect(reply.status_code == 200, reply.status_code, reply.text)

    def end(self):
        wanted = {
            "id_token_hint": self.token["id_token"],
            "post_logout_redirect_uri": REDIRECT,
            "state": "bye",
        }
        reply = self.browser.get(
            self.known["end_session_endpoint"], params=wanted, timeout=20, allow_redirects=False
        )
        rounds.expect(reply.headers["Location"] == f"{REDIRECT}?state=bye", reply.headers)


flow = Flow()
rounds.play(
    lambda: None,
    [
        ("openid-configuration", flow.begin),
        ("login form, wrong password", flow.wrong_password),
        ("login form", flow.log_in),
        ("code for tokens", flow.redeem),
        ("id token against the keys, userinfo", flow.identity),
        ("refresh", flow.refresh),
        ("GET /cameras", flow.cameras),
        ("revocation", flow.revoke),
        ("end session", flow.end),
    ],
)
