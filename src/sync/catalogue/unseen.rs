//! What no type of the API shows (sheet 3.8): sync cannot even say whether it differs.

/// Something that cannot be seen.
#[derive(Clone, Copy, Debug)]
pub struct Unseen {
    /// What it is.
    pub what: &'static str,
    /// Why it cannot be seen.
    pub why: &'static str,
    /// What has to be done by hand.
    pub by_hand: &'static str,
}

/// All of it.
pub const UNSEEN: &[Unseen] = &[
    Unseen {
        what: "what a role may do",
        why: "only tasks show it, whose parameters no public source lists; effectivePermissions shows the outcome",
        by_hand: "set it alike on both sides, and compare with users who log in on each",
    },
    Unseen {
        what: "client profile and time profile of a role",
        why: "set by tasks, and in no list",
        by_hand: "choose them alike on both sides",
    },
    Unseen {
        what: "passwords of basic users, hardware, matrix recipients and storages; secrets of login providers",
        why: "never shown, as it should be",
        by_hand: "give them when an object is made, and change them on both sides",
    },
    Unseen {
        what: "private views, private searches and other settings of one user",
        why: "shown to that user only",
        by_hand: "users make them again, or share them",
    },
    Unseen {
        what: "maps, and what is on smart maps apart from its locations",
        why: "no type",
        by_hand: "set up on both sides, also the related map of alarm definitions",
    },
    Unseen {
        what: "alarm data settings other than priorities and categories: states, sounds, messages, reasons",
        why: "only partly in lists of the alarm API, and read-only there",
        by_hand: "set up on both sides with the same names",
    },
    Unseen {
        what: "access control: cardholders, rules, events, what is below the first level of units",
        why: "no type, or below objects that would each have to be asked",
        by_hand: "connect both sides to the access control system, and set up both",
    },
    Unseen {
        what: "licence plate recognition apart from the match lists",
        why: "no type",
        by_hand: "set up servers and cameras of it on both sides",
    },
    Unseen {
        what: "what plug-ins keep for themselves: options, items below the first level, data bases of their own",
        why: "belongs to the plug-in, whose form only its maker knows",
        by_hand: "install the same version on both sides, and set up both",
    },
    Unseen { what: "transaction sources", why: "no type", by_hand: "set up on both sides" },
    Unseen {
        what: "interconnected sites and streaming to screens (DLNA)",
        why: "only partly shown as hardware",
        by_hand: "set up on both sides",
    },
    Unseen {
        what: "options of the management server: mail server, logs, thresholds of the system monitor, mobile server",
        why: "toolOptions has only some of the options",
        by_hand: "set up on both sides",
    },
    Unseen {
        what: "encryption of storages and certificates of servers",
        why: "set by tasks and on the servers themselves",
        by_hand: "set up on both sides",
    },
    Unseen {
        what: "recordings, bookmarks, evidence locks, alarms, logs",
        why: "belong to what one instance has recorded, and are no settings",
        by_hand: "nothing: each side has its own",
    },
];

/// Collections of the API that hold no objects of their own, with the reason.
pub const NO_OBJECTS: [(&str, &str); 3] = [
    ("effectivePermissions", "an answer to a question about rights"),
    ("tasks", "work in progress, which ends by itself"),
    ("translations", "texts of the product"),
];
