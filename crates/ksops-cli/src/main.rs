//! The ksops program; started as `sops` it is a drop-in for sops.

mod args;
mod audit;
mod checkup;
mod cli;
mod commands;
mod config;
mod context;
mod error;
mod formats;
mod hardening;
mod input;
mod io_reason;
mod keys;
mod lock;
mod output;
mod place;
mod services;
mod settings;
mod ui;

fn main() -> std::process::ExitCode {
    cli::run()
}
