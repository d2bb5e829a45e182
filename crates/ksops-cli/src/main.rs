//! The ksops program; started as `sops` it is a drop-in for sops.

mod args;
mod audit;
mod batch;
mod checkup;
mod cli;
mod commands;
mod config;
mod context;
mod error;
mod formats;
mod guard;
mod hardening;
mod input;
mod io_reason;
mod keys;
mod lock;
mod opening;
mod output;
mod outside;
mod place;
mod prompt;
mod services;
mod settings;
mod ui;

fn main() -> std::process::ExitCode {
    cli::run()
}
