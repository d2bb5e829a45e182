//! Runs one scenario: sets its folder up, calls the program as `sops`, has the outcome checked.
//!
//! Apart from the checks, because this half touches the machine and the other compares.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use serde_json::Value;

use crate::program::{Call, Outcome, Program};
use crate::sandbox::Sandbox;
use crate::scenario::check;
use crate::scenario::model::{Scenario, replace, texts};

/// The other user of scenarios that root cannot show; by custom this is `nobody`.
const OTHER_USER: u32 = 65534;

/// A scenario that was run.
pub struct Ran<'a> {
    /// What was expected, every placeholder replaced.
    pub expected: Value,
    /// What came of it.
    pub outcome: Outcome,
    /// The files before the call.
    pub before: BTreeMap<String, Vec<u8>>,
    /// Where it ran.
    pub sandbox: &'a Sandbox,
    /// The program as it was called, for the checks that decrypt.
    pub program: &'a Program,
}

/// Runs `scenario` with `program` under the name `sops`.
///
/// # Errors
/// What differs from the expectation.
pub fn run(scenario: &Scenario, program: &Program) -> Result<(), String> {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let here = BTreeMap::from([("{DIR}".to_owned(), work.to_string_lossy().into_owned())]);
    let expected = replace(&scenario.fields, &here);
    let is_root = sandbox.root().metadata().map_err(text)?.uid() == 0;
    let other = (is_root && expected["needs"] == "not root").then_some(OTHER_USER);
    let program = as_sops(program, &sandbox, other.is_some()).map_err(text)?;
    set_up(&expected["setup"], &work).map_err(text)?;
    if let Some(user) = other {
        give_away(sandbox.root(), user).map_err(text)?;
    }
    let before = check::snapshot(&sandbox);
    let mut call = base(&program, &sandbox, &expected["env"]).args(texts(&expected["args"]));
    if let Some(stdin) = expected["stdin"].as_str() {
        call = call.stdin(stdin);
    }
    if let Some(folder) = expected["cwd"].as_str() {
        call = call.cwd(folder);
    }
    if let Some(user) = other {
        call = call.user(user);
    }
    let outcome = call.run();
    let ran = Ran { expected, outcome, before, sandbox: &sandbox, program: &program };
    let wrong = check::check(&ran);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} {:?}: {}\n    {}",
        scenario.name,
        scenario.args(),
        wrong.join("; "),
        ran.outcome.report()
    ))
}

/// A call with the environment that the first line of the file describes.
pub(super) fn base<'a>(program: &'a Program, sandbox: &'a Sandbox, env: &Value) -> Call<'a> {
    let key = crate::fixtures::text("cli/scenarios.jsonl");
    let key =
        key.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok()).unwrap_or_default();
    let key = key["placeholders"]["AGE_KEY"].as_str().unwrap_or_default().to_owned();
    let mut call = program.call(sandbox).env("SOPS_AGE_KEY", key);
    for (name, value) in env.as_object().into_iter().flatten() {
        call = match value.as_str() {
            Some(value) => call.env(name, value),
            None => call.without(name),
        };
    }
    call
}

/// Makes the program callable as `sops`; as a copy when another user has to run it.
fn as_sops(program: &Program, sandbox: &Sandbox, copy: bool) -> std::io::Result<Program> {
    let folder = sandbox.root().join("bin");
    fs::create_dir(&folder)?;
    let path = folder.join("sops");
    if copy {
        fs::copy(program.path(), &path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    } else {
        symlink(program.path().canonicalize()?, &path)?;
    }
    Ok(Program::at(path))
}

fn set_up(setup: &Value, work: &Path) -> std::io::Result<()> {
    let files = || setup.as_object().into_iter().flatten().map(|(name, made)| (work.join(name), made));
    for (path, made) in files() {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if made["dir"] == true {
            fs::create_dir_all(&path)?;
        } else if let Some(text) = made.as_str().or_else(|| made["text"].as_str()) {
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        }
    }
    for (path, made) in files() {
        if let Some(target) = made["symlink"].as_str() {
            symlink(target, &path)?;
        } else if let Some(target) = made["hardlink"].as_str() {
            fs::hard_link(work.join(target), &path)?;
        }
        if let Some(mode) = made["mode"].as_str().and_then(|mode| u32::from_str_radix(mode, 8).ok()) {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

/// Makes `user` the owner of everything below `folder`.
fn give_away(folder: &Path, user: u32) -> std::io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        chown(&folder, Some(user), Some(user))?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if !path.is_symlink() {
                chown(&path, Some(user), Some(user))?;
            }
        }
    }
    Ok(())
}

fn text(error: std::io::Error) -> String {
    format!("cannot set the scenario up: {error}")
}
