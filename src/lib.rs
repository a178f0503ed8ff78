//! Gatekeeper: the front door of an active-active video management system.
//!
//! Two complete VMS instances run side by side and share nothing. Clients address one name; each
//! service of the VMS is served by whichever instance can serve it now. This page is the map; read
//! [`stack`] next, and `docs/architecture.md` for the lives of a request and of a failure.
//!
//! # The flow of a request
//!
//! ```text
//! client -> accept -> tls -> http (guard) -> route (site, service) -> session (who) -> balance (pick)
//!                                                                                        |
//!                         client <- stack::answer (rewrite) <- upstream (retry, hedge) <-+
//! ```
//!
//! It stays on the core that accepted it (data plane: one single-threaded runtime a core, design D1)
//! and is decided from one immutable snapshot, [`live::Live`], that is taken once.
//!
//! # The flow of facts
//!
//! ```text
//! health::probe, what requests met -> health::state (pure) -> balance::serving (pure) -> balance::Picture
//!                    operator -> admin -> state (SQLite) ------^                           |
//!                                              stack, admin::status, metrics <- live::Live <-+
//! ```
//!
//! It runs on the control plane: one small multi-threaded runtime beside the cores. The planes share
//! the snapshot, a watch of it for requests that wait, and atomics ([`health::Monitor`]); the cores
//! share bounded tables ([`session::table::Sessions`], [`session::issued::Issued`]).
//!
//! # The flow of a configuration
//!
//! ```text
//! file -> config::raw -> config::convert (all complaints at once) -> config::types
//!                                                                 -> app::reload -> live::Prepared
//! ```
//!
//! All of it or nothing: a reload that fails keeps what was there and says why.
//!
//! # The modules
//!
//! | Module | Subject |
//! |---|---|
//! | [`cli`] | the commands: arguments in, exit code out |
//! | [`app`] | builds every part in order, reloads, takes everything down again |
//! | [`stack`] | **the request stack: what happens to a request, top to bottom** |
//! | [`accept`] | listeners, limits, PROXY header, drain; one core of the data plane |
//! | [`tls`] | what clients see, whom we trust behind us |
//! | [`http`] | HTTP/1.1 and HTTP/2 with their limits; what is refused; headers; our own answers |
//! | [`route`] | host -> site, path -> service; documents that carry addresses |
//! | [`session`] | what binds a request to an instance: token, cookie, code |
//! | [`idmap`] | one id space: GUIDs of one instance become those of another |
//! | [`health`] | probes, what requests met, and the machine that judges |
//! | [`balance`] | who serves what, and where one request goes |
//! | [`upstream`] | connections to instances; repeats and hedges |
//! | [`live`] | the snapshot |
//! | [`vms`] | the VMS as we consume it: REST, tokens, sockets |
//! | [`sync`] | which objects of two instances are the same: reads both, keeps the links |
//! | [`streams`] | where a camera's streams are, for clients that use both instances |
//! | [`state`] | what survives a restart: overrides, links and the audit log |
//! | [`admin`] | status and orders, for operators and monitoring |
//! | [`config`] | one table of keys; reading, checking, watching |
//! | [`metrics`], [`log`], [`clock`] | tools that know nothing of what uses them |

pub mod accept;
pub mod admin;
pub mod app;
pub mod balance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod health;
pub mod http;
pub mod idmap;
pub mod live;
pub mod log;
pub mod metrics;
pub mod route;
pub mod session;
pub mod stack;
pub mod state;
pub mod streams;
pub mod sync;
pub mod tls;
pub mod upstream;
pub mod vms;

#[cfg(test)]
pub(crate) mod testing;
