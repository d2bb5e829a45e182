//! `keyservice`: lends the keys of this machine to others (cli-and-config.md section 9).

use std::io::{BufRead, Write};
use std::sync::Mutex;
use std::{io, process};

use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::ksops_remote::address::Address;
use ksops::ksops_remote::server::{Operation, Permit, Stop, serve};

use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::outside::signals;
use crate::{services, ui};

/// Runs the command, until a signal ends it.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let general = |text: String| Failure::new(Kind::General, text).logged();
    let network = flags.text("network").unwrap_or("tcp");
    let place = flags.text("address").unwrap_or("127.0.0.1:5000");
    let address = Address::from_parts(network, place).map_err(|error| {
        general(format!("listen {network}: {error}")).hints(["`--network` is tcp or unix"])
    })?;
    if !address.is_local() {
        context.ui.warning(&format!(
            "{address} can be reached from other machines, and the protocol has neither log-in nor encryption: who \
             reaches it can decrypt with your keys"
        ));
    }
    let stop = Stop::default();
    let stopper = stop.clone();
    signals::on_end(move || stopper.stop())
        .map_err(|error| general(format!("signals cannot be caught: {error}")))?;
    let permit: Box<Permit> = match flags.is_set("prompt") {
        true => Box::new(asked()),
        false => Box::new(|_, _| Ok(true)),
    };
    let services = services::local().into_list();
    let shown = address.clone();
    let on_ready = move || {
        if flags.is_set("verbose") {
            ui::say(&format!("Listening on {shown}"));
        }
    };
    serve(&address, services, permit, &stop, on_ready).map_err(|error| general(error.to_string()))?;
    // A request that still waits for somebody at the prompt must not hold the end up.
    process::exit(0)
}

/// Asks on standard output before anything is done, one request at a time.
fn asked() -> impl Fn(Operation, &MasterKey) -> Result<bool, String> + Send + Sync {
    let one_at_a_time = Mutex::new(());
    move |operation, key| {
        let _held = one_at_a_time.lock();
        let what = match operation {
            Operation::Encrypt => "encrypt",
            Operation::Decrypt => "decrypt",
        };
        let kind = key.key_type();
        let question = format!("Received {what} request using {kind} key {key}. Respond to request? (y/n): ");
        loop {
            let mut out = io::stdout().lock();
            out.write_all(question.as_bytes())
                .and_then(|()| out.flush())
                .map_err(|error| error.to_string())?;
            drop(out);
            let mut line = String::new();
            let count = io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
            match line.trim() {
                "y" => return Ok(true),
                "n" => return Ok(false),
                _ if count == 0 => return Err("EOF".to_owned()),
                _ => {}
            }
        }
    }
}
