//! Login, Logout and what belongs to a session (sheet 2.8).

use crate::{
    soap::{Call, Fault, xml::Xml},
    stamp::Stamp,
    switches::SOAP_TOKEN_SECONDS,
};

/// `Login`, also the renewal: the same instance with the token that it has. Who calls is known already, so a token
/// that is not (any more) known, as after a failover, is no reason to refuse.
pub fn login(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let client = call.guid("instanceId")?;
    let desk = call.desk;
    let seconds = desk.instance.settings.switches.number(&SOAP_TOKEN_SECONDS);
    let expires = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let expires = desk.instance.now.plus_millis(expires);
    let token = desk.tokens.issue(
        desk.instance.identity.host(),
        &call.caller.sid,
        client,
        expires,
        desk.instance.now,
    );
    xml.put("RegistrationTime", time(desk.instance.now));
    xml.open("TimeToLive", |xml| xml.put("MicroSeconds", seconds.saturating_mul(1_000_000)));
    xml.put("TimeToLiveLimited", false);
    xml.put("Token", token);
    Ok(())
}

/// `Logout`: ends all tokens of the caller's instance. A token that is not the caller's is refused.
pub fn logout(call: &Call<'_>, _: &mut Xml) -> Result<(), Fault> {
    let client = call.guid("instanceId")?;
    let desk = call.desk;
    if !desk.tokens.valid(call.text("currentToken"), &call.caller.sid, desk.instance.now) {
        return Err(Fault::Denied);
    }
    desk.tokens.end(&call.caller.sid, client);
    Ok(())
}

/// `RegisterIntegration`: taken, and shown nowhere.
pub fn register_integration(call: &Call<'_>, _: &mut Xml) -> Result<(), Fault> {
    call.guid("instanceId")?;
    call.guid("integrationId")?;
    Ok(())
}

/// `GetUserInfo`.
pub fn user(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.put("name", &call.caller.user);
    xml.put("sid", &call.caller.sid);
    Ok(())
}

/// A time as the framework writes it: zeros at the end of the fraction are left out.
pub fn time(time: Stamp) -> String {
    shorter(&time.wire())
}

/// A time of the configuration API in the form of [`time`].
pub fn shorter(wire: &str) -> String {
    match wire.strip_suffix('Z') {
        Some(text) if text.contains('.') => {
            format!("{}Z", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => wire.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(shorter("2025-01-31T08:15:30.1230000Z"), "2025-01-31T08:15:30.123Z");
        assert_eq!(time(Stamp::from_seconds(0)), "1970-01-01T00:00:00Z");
        assert_eq!(shorter("0001-01-01T00:00:00.0000000"), "0001-01-01T00:00:00.0000000");
    }
}
