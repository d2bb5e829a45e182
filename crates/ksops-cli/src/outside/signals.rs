//! Signals that end the process while it holds plaintext for others: everything is wiped first. Apart from `scratch`,
//! because commands differ in what they do with a signal.

/// The signals that would end this process. One that it was started to ignore, as `nohup` and a script's `&` do, stays
/// ignored.
#[cfg(unix)]
pub(crate) fn ending() -> impl Iterator<Item = i32> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    let ignored = ignored();
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter(move |signal| ignored & (1 << (signal - 1)) == 0)
}

/// The signals that this process ignores, a bit for each; none where the system does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Does something, once, on a signal that would end the process.
///
/// # Errors
/// If the signals cannot be caught.
#[cfg(unix)]
pub(crate) fn on_end(action: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    use std::thread;

    use signal_hook::iterator::Signals;

    let mut signals = Signals::new(ending())?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            action();
        }
    });
    Ok(())
}

/// There are no such signals.
#[cfg(not(unix))]
pub(crate) fn on_end(_: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// Ends the process on a signal with `status`, after wiping all scratch folders and saying `words`.
///
/// # Errors
/// If the signals cannot be caught.
#[cfg(unix)]
pub(crate) fn wipe_and_exit(words: &'static str, status: u8) -> std::io::Result<()> {
    use std::process;

    use crate::outside::scratch;

    on_end(move || {
        scratch::wipe_all();
        crate::ui::say(words);
        process::exit(i32::from(status));
    })
}

/// There are no such signals.
#[cfg(not(unix))]
pub(crate) fn wipe_and_exit(_: &'static str, _: u8) -> std::io::Result<()> {
    Ok(())
}
