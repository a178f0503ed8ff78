//! Roles, basic users and Windows users (design, section 5 "Simulator").

use serde_json::json;

use super::{Fate, Seed};
use crate::{
    identity::Role,
    world::{
        DOMAIN,
        accounts::{Account, WindowsAccount},
        store::Object,
    },
};

const ROLES: [(&str, Role); 3] =
    [("Administrators", Role::Administrators), ("Operators", Role::Operators), ("Guards", Role::Guards)];

impl Seed<'_> {
    /// Makes them; gives the role objects that carry rights, the strongest first.
    pub(super) fn users(&mut self) -> Vec<(String, Role)> {
        let roles: Vec<(String, Role)> =
            ROLES.iter().enumerate().map(|(index, (_, role))| (self.ids.of("roles", index), *role)).collect();
        for (index, ((name, role), (id, _))) in ROLES.iter().zip(&roles).enumerate() {
            let object = Object::new("roles", id.clone()).below("sites", &self.site).with(json!({
                "name": name,
                "lastModified": self.time("roles", index),
                "roleType": if *role == Role::Administrators { "Adminstrative" } else { "UserDefined" },
            }));
            self.store.insert(if *role == Role::Administrators { object.built_in() } else { object });
        }
        for index in 0..=self.settings.users {
            let (name, role) = match index {
                0 => ("admin".to_owned(), 0),
                odd if odd % 2 == 1 => (format!("user{odd}"), 1),
                even => (format!("user{even}"), 2),
            };
            let member = self.user(index, name);
            if let Some((role, _)) = roles.get(role) {
                self.store.add_member(role, "users", &member);
            }
        }
        // As many Windows users as basic users, at least the two that tests name.
        for number in 1..=self.settings.users.max(2) {
            let member = self.windows_user(number);
            if let Some((role, _)) = roles.get(if number % 2 == 1 { 1 } else { 2 }) {
                self.store.add_member(role, "users", &member);
            }
        }
        roles
    }

    /// Makes a Windows user and gives the id of its `users` object. Its SID comes from the domain, so it is the same on
    /// every instance of the seed.
    fn windows_user(&mut self, number: usize) -> String {
        let id = self.ids.of("windowsUsers", number);
        let part = |index| self.dice("domain", index) % (1 << 32);
        let sid = format!("S-1-5-21-{}-{}-{}-{}", part(0), part(1), part(2), 1100 + number);
        let name = format!("win{number}");
        self.store.insert(Object::new("users", id.clone()).with(json!({
            "accountName": name,
            "domain": DOMAIN,
            "identityType": "WindowsUser",
            "sid": sid,
        })));
        let password = format!("{name}-password");
        let name = format!("{DOMAIN}\\{name}");
        self.accounts.add_windows(WindowsAccount { user: id.clone(), name, sid, password });
        id
    }

    /// Makes a basic user and gives the id of its `users` object.
    fn user(&mut self, index: usize, name: String) -> String {
        let id = self.ids.of("basicUsers", index);
        let sid = self.ids.of("sid", index);
        let time = self.time("basicUsers", index);
        let mut basic = Object::new("basicUsers", id.clone()).below("sites", &self.site).with(json!({
            "name": name,
            "sid": sid.to_uppercase(),
            "createdDate": time,
            "lastModified": time,
        }));
        basic.built_in = index == 0;
        // Everybody can log in everywhere; divergence only touches what does not decide that.
        if index > 0 && self.fate("basicUsers", index) != Fate::Kept {
            basic.set("description", format!("changed on {}", self.settings.name));
        }
        self.store.insert(basic);
        self.store.insert(Object::new("users", sid.clone()).with(json!({
            "accountName": name,
            "domain": "[BASIC]",
            "identityType": "BasicUser",
            "sid": sid.to_uppercase(),
        })));
        let password = format!("{name}-password");
        self.accounts.add(Account { id, name, sid: sid.to_uppercase(), password, failures: 0 });
        sid
    }

    /// A provider of logins that nobody uses: it is switched off.
    pub(super) fn providers(&mut self) {
        let provider = json!({
            "name": "Company login",
            "authority": "https://login.vms.example",
            "clientId": "vms",
            "clientSecret": "provider-secret",
            "enabled": false,
            "scopes": ["openid", "profile"],
            "userNameClaimType": "preferred_username",
        });
        let Some(provider) = self.make("loginProviders", 0, provider) else { return };
        for (number, name) in ["vms_role", "email"].into_iter().enumerate() {
            let claim = Object::new("registeredClaims", (number + 1).to_string());
            self.insert(claim.below("loginProviders", &provider).with(json!({ "name": name })), number);
        }
    }
}
