//! The report as a Markdown table on standard output.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the report is what this program is for")]

use std::time::Duration;

use crate::cases::Row;
use crate::measure::Measured;
use crate::programs::Kind;

/// The head of the table, after what is missing.
pub(crate) fn head(missing: &[String]) {
    for line in missing {
        eprintln!("{line}");
    }
    println!(
        "| case | program | least | median | peak memory | against sops | against rops | goal | floor |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
}

/// One line for each program. Ratios are of medians: how many times faster than the other; below 1 is slower.
pub(crate) fn row(row: &Row) {
    let median = |kind: Kind| {
        let found = row.results.iter().find(|(other, _)| *other == kind);
        found.and_then(|(_, result)| result.as_ref().ok()).map(Measured::median)
    };
    for (kind, result) in &row.results {
        let name = match kind {
            Kind::Ksops => "ksops",
            Kind::Sops => "sops 3.13.3",
            Kind::Rops => "rops 0.1.7",
        };
        let measured = match result {
            Ok(measured) => measured,
            Err(problem) => {
                println!("| {} | {name} | failed: {problem} | | | | | | |", row.name);
                continue;
            }
        };
        let against = |other: Kind| ratio(median(other), measured.median()).filter(|_| *kind != other);
        let show = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.1}×")).unwrap_or_default();
        let (sops, rops) = (against(Kind::Sops), against(Kind::Rops));
        let goal = if *kind == Kind::Ksops { goal(row, measured, sops, rops) } else { String::new() };
        let floor = row.floor.and_then(|floor| ratio(Some(measured.median()), floor));
        let floor = floor.map(|times| format!("{times:.0} × {}", time(row.floor.unwrap_or_default())));
        let memory = measured.memory.map(|memory| memory_text(memory, row.size)).unwrap_or_default();
        println!(
            "| {} | {name} | {} | {} | {memory} | {} | {} | {goal} | {} |",
            row.name,
            time(measured.least()),
            time(measured.median()),
            show(sops),
            show(rops),
            floor.unwrap_or_default(),
        );
    }
}

/// Says what went wrong on standard error.
pub(crate) fn problem(problem: &str) {
    eprintln!("error: {problem}");
}

/// Which goals of issue 3 are met.
fn goal(row: &Row, measured: &Measured, sops: Option<f64>, rops: Option<f64>) -> String {
    let mut parts = Vec::new();
    let mut add = |met: Option<bool>, text: String| {
        if let Some(met) = met {
            parts.push(format!("{} {text}", if met { "met:" } else { "MISSED:" }));
        }
    };
    add(sops.map(|ratio| ratio >= row.goal), format!("{}× sops", row.goal));
    add(rops.map(|ratio| ratio >= 1.0), "not slower than rops".to_owned());
    let limit = row.memory_goal;
    let within = measured.memory.zip(limit).map(|(memory, limit)| memory <= limit);
    add(within, format!("memory at most {} MiB", limit.unwrap_or_default() / 1024));
    parts.join("; ")
}

fn ratio(longer: Option<Duration>, shorter: Duration) -> Option<f64> {
    longer.filter(|_| !shorter.is_zero()).map(|longer| longer.as_secs_f64() / shorter.as_secs_f64())
}

fn time(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        format!("{:.0} µs", time.as_secs_f64() * 1e6)
    } else if time < Duration::from_secs(10) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a few GiB at most, shown with one digit")]
fn memory_text(memory: u64, size: usize) -> String {
    let mebibytes = memory as f64 / 1024.0;
    if size < 100_000 {
        return format!("{mebibytes:.1} MiB");
    }
    format!("{mebibytes:.1} MiB ({:.1} × file)", memory as f64 * 1024.0 / size as f64)
}
