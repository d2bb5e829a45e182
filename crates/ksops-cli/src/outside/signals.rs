//! Signals that end the process while it holds plaintext for others: everything is wiped first. Apart from `scratch`,
//! because commands differ in what they do with a signal.

/// Ends the process on a signal with `status`, after wiping all scratch folders and saying `words`.
///
/// # Errors
/// If the signals cannot be caught.
#[cfg(unix)]
pub(crate) fn wipe_and_exit(words: &'static str, status: u8) -> std::io::Result<()> {
    use std::process;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    use crate::outside::scratch;

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            scratch::wipe_all();
            crate::ui::say(words);
            process::exit(i32::from(status));
        }
    });
    Ok(())
}

/// There are no such signals.
#[cfg(not(unix))]
pub(crate) fn wipe_and_exit(_: &'static str, _: u8) -> std::io::Result<()> {
    Ok(())
}
