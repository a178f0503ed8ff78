//! Members of groups and roles in canonical form. Pure.

use serde_json::Value;

use super::canonical::{write_set, write_text};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::MemberForm;
use crate::sync::snapshot::Distrust;

/// What stands for a member.
///
/// # Errors
/// [`Distrust::Schema`]: it has not what it is known by.
pub fn canonical(member: &Value, form: MemberForm) -> Result<Vec<u8>, Distrust> {
    let text = |name: &str| {
        let text = member.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Distrust::Schema(vec![format!("{name}: missing")]))
    };
    let shown = match form {
        MemberForm::Id => {
            let id = text("id")?.parse::<Guid>().ok().filter(|id| *id != Guid::NIL);
            id.ok_or_else(|| Distrust::Schema(vec!["id: not an id".to_owned()]))?.to_string()
        }
        // SIDs of a domain are the same on both sides; those of basic users are not.
        MemberForm::Account => match text("identityType")? {
            kind @ "BasicUser" => format!("{kind}:{}", text("accountName")?.to_lowercase()),
            kind => format!("{kind}:{}", text("sid")?.to_uppercase()),
        },
        MemberForm::Claim => {
            format!("{}/{}={}", text("claimProvider")?, text("claimName")?, text("claimValue")?)
        }
        MemberForm::Name => text("name")?.to_owned(),
    };
    let mut bytes = Vec::new();
    write_text(&shown, &mut bytes);
    Ok(bytes)
}

/// The field that members are read into.
pub fn set(members: Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_set(members, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(member: Value, form: MemberForm) -> String {
        match canonical(&member, form) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn each_form() {
        let guard = json!({ "identityType": "BasicUser", "accountName": "Guard1", "sid": "S-1" });
        assert_eq!(of(guard, MemberForm::Account), r#""BasicUser:guard1""#);
        let windows = json!({ "identityType": "WindowsUser", "accountName": "x", "sid": "S-1-5-21-1" });
        assert_eq!(of(windows, MemberForm::Account), r#""WindowsUser:S-1-5-21-1""#);
        let claim = json!({ "claimProvider": "Entra", "claimName": "group", "claimValue": "Guards" });
        assert_eq!(of(claim, MemberForm::Claim), r#""Entra/group=Guards""#);
        let camera = json!({ "id": "1F846A47-7521-5BF6-AD48-CD0B1AC2D8A0" });
        assert_eq!(of(camera, MemberForm::Id), r#""1f846a47-7521-5bf6-ad48-cd0b1ac2d8a0""#);
        for (member, form) in [
            (json!({}), MemberForm::Id),
            (json!({ "id": Guid::NIL.to_string() }), MemberForm::Id),
            (json!({ "identityType": "BasicUser", "sid": "S-1" }), MemberForm::Account),
            (json!({ "identityType": 0, "sid": "S-1" }), MemberForm::Account),
            (json!({ "name": null }), MemberForm::Name),
            (json!(7), MemberForm::Claim),
        ] {
            assert!(canonical(&member, form).is_err(), "{member}");
        }
    }
}
