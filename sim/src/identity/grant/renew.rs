//! Grants of users who gave their password elsewhere: codes (sheet 2.4) and refresh tokens.

use super::{Desk, Form, Granted, OFFLINE, Refresh, Refusal, clients};
use crate::switches::REFRESH_ROTATION;

impl Desk<'_> {
    pub(super) fn code(&self, form: &Form) -> Granted {
        let client = form.get("client_id").and_then(clients::find);
        let client = client.ok_or(Refusal::Plain("invalid_client"))?;
        let field = |name| form.get(name).ok_or(Refusal::Plain("invalid_request"));
        let (code, redirect, verifier) = (field("code")?, field("redirect_uri")?, field("code_verifier")?);
        let code = self.identity.codes().redeem(code, client, redirect, verifier, self.now);
        let code = code.ok_or(Refusal::Plain("invalid_grant"))?;
        let name = self.still_admitted(&code.login.sid)?;
        let offline = code.login.scope.split(' ').any(|scope| scope == OFFLINE);
        let refresh = if offline && clients::refreshes(&self.settings.switches, client) {
            Refresh::New
        } else {
            Refresh::None
        };
        self.issue(&code.login, &name, code.nonce.as_deref(), refresh)
    }

    pub(super) fn refresh(&self, form: &Form) -> Granted {
        let client = form.get("client_id").and_then(clients::find);
        let client = client.filter(|client| clients::refreshes(&self.settings.switches, client));
        let client = client.ok_or(Refusal::Plain("invalid_client"))?;
        let token = form.get("refresh_token").ok_or(Refusal::Plain("invalid_request"))?;
        let once = self.settings.switches.on(&REFRESH_ROTATION);
        let login = self.identity.logins().redeem(token, client, once, self.now);
        let login = login.ok_or(Refusal::Plain("invalid_grant"))?;
        let name = self.still_admitted(&login.sid)?;
        self.issue(&login, &name, None, if once { Refresh::New } else { Refresh::Kept(token) })
    }
}
