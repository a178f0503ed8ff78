//! Time limits: `[upstream]`, `[health]`, `[failback]`.

use std::time::Duration;

use super::Context;
use crate::config::raw::Table;
use crate::config::types::{Failback, FailbackMode, Health, StandbyWrites, UpstreamLimits};
use crate::config::value::show_time;

pub(super) fn upstream(root: &Table, cx: &mut Context<'_>) -> Option<UpstreamLimits> {
    let table = root.table("upstream")?;
    let connect_timeout = table.get::<Duration>("connect_timeout")?;
    let response_timeout = table.get::<Duration>("response_timeout")?;
    if response_timeout < connect_timeout {
        let written = if table.is_set("response_timeout") { "response_timeout" } else { "connect_timeout" };
        cx.error(
            table,
            written,
            format!(
                "response_timeout ({}) is shorter than connect_timeout ({})",
                show_time(response_timeout),
                show_time(connect_timeout)
            ),
            "give an answer more time than a connection",
        );
        return None;
    }
    Some(UpstreamLimits { connect_timeout, response_timeout })
}

pub(super) fn health(root: &Table, cx: &mut Context<'_>) -> Option<Health> {
    let table = root.table("health")?;
    let interval = table.get::<Duration>("interval");
    let timeout = table.get::<Duration>("timeout");
    let health =
        Health { interval: interval?, timeout: timeout?, rise: table.get("rise")?, fall: table.get("fall")? };
    if health.timeout > health.interval {
        let written = if table.is_set("timeout") { "timeout" } else { "interval" };
        cx.error(
            table,
            written,
            format!(
                "timeout ({}) is longer than interval ({})",
                show_time(health.timeout),
                show_time(health.interval)
            ),
            "a probe must end before the next begins: shorten timeout or lengthen interval",
        );
        return None;
    }
    Some(health)
}

pub(super) fn failback(root: &Table, cx: &mut Context<'_>) -> Option<Failback> {
    let table = root.table("failback")?;
    let stable_for = table.get::<Duration>("stable_for");
    let mode = match table.get::<String>("mode")?.as_str() {
        "manual" => FailbackMode::Manual,
        "immediate" => FailbackMode::Immediate,
        _ => FailbackMode::AfterStable(stable_for?),
    };
    if table.is_set("stable_for") && !matches!(mode, FailbackMode::AfterStable(_)) {
        cx.warning(
            table,
            "stable_for",
            "no effect with this mode",
            "remove it or set mode = \"after-stable\"",
        );
    }
    let standby_writes = match table.get::<String>("standby_writes")?.as_str() {
        "refuse" => StandbyWrites::Refuse,
        _ => StandbyWrites::Allow,
    };
    Some(Failback { mode, standby_writes })
}
