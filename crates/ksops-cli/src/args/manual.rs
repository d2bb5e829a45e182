//! Manual pages in roff, made of the two tables. Apart from `help`, whose texts are for a terminal.

use crate::args::command::{Subcommand, children, find};
use crate::args::help::{TOP_DETAILS, TOP_EXAMPLES};
use crate::args::level::Levels;
use crate::args::program::Program;
use crate::args::table::{FLAGS, Flag, Kind};

/// The exit statuses that the page of the program explains.
const STATUSES: &[(u8, &str)] = &[
    (0, "Success."),
    (1, "Any failure without a number of its own; doctor: a key cannot be used."),
    (2, "The input cannot be read, or is not in its format."),
    (3, "The output cannot be written; no such help topic."),
    (4, "The document cannot be printed in the output's format."),
    (6, "The encryption context is malformed."),
    (8, "Flags exclude each other."),
    (23, "A value or key cannot be encrypted."),
    (25, "A value cannot be decrypted."),
    (49, "Keys are to be added to or removed from a file that does not exist."),
    (51, "The MAC does not agree: the file was changed."),
    (91, "The path of --extract is malformed."),
    (92, "The input holds no document."),
    (100, "No file is named, or there is none of that name."),
    (112, "A kind of key stands twice in the decryption order."),
    (128, "The data key cannot be recovered."),
    (203, "The input is encrypted already."),
];

/// A page: the name of its file, and its text.
pub(crate) struct Page {
    /// As `ksops-decrypt.1`.
    pub file_name: String,
    /// The text, in the macros of man(7).
    pub text: String,
}

/// The page of the command that `words` name; of the program, if there are none. `None` if there is no such command.
pub(crate) fn page(words: &[&str], program: Program) -> Option<Page> {
    if words.is_empty() {
        return Some(top(program));
    }
    find(words, program).map(|sub| command(sub, program))
}

/// All pages, that of the program first.
pub(crate) fn pages(program: Program) -> Vec<Page> {
    let mut pages = vec![top(program)];
    for sub in children(&[], program) {
        pages.push(command(sub, program));
        pages.extend(children(sub.path, program).map(|sub| command(sub, program)));
    }
    pages
}

fn top(program: Program) -> Page {
    let name = program.name();
    let mut roff = Roff::new(name, "encrypted files for configuration and secrets");
    roff.section("SYNOPSIS");
    let words = ["COMMAND", "flags", "arguments"].map(italic);
    roff.line(&format!("{} {} [{}] [{}]", bold(name), words[0], words[1], words[2]));
    roff.macros(".br\n");
    let modes = ["--encrypt", "--decrypt", "--rotate", "--set"].map(bold).join("|");
    let words = ["'PATH VALUE'", "flags", "FILE"].map(italic);
    roff.line(&format!("{} {modes} {} [{}] {}", bold(name), words[0], words[1], words[2]));
    roff.section("DESCRIPTION");
    roff.paragraphs(TOP_DETAILS);
    roff.commands(&[], program);
    roff.options(Levels::TOP);
    roff.environment(Levels::TOP);
    roff.section("EXIT STATUS");
    for (status, meaning) in STATUSES {
        roff.tagged(&bold(&status.to_string()), &escaped(meaning));
    }
    roff.examples(TOP_EXAMPLES, program);
    roff.see_also(children(&[], program).map(|sub| page_name(sub.path, program)).collect());
    Page { file_name: format!("{name}.1"), text: roff.text }
}

fn command(sub: &Subcommand, program: Program) -> Page {
    let name = page_name(sub.path, program);
    let mut roff = Roff::new(&name, sub.summary);
    roff.section("SYNOPSIS");
    let called = format!("{} {}", program.name(), sub.title());
    let operands = if sub.operands.is_empty() { String::new() } else { format!(" {}", italic(sub.operands)) };
    roff.line(&format!("{} [{}]{operands}", bold(&called), italic("flags")));
    roff.section("DESCRIPTION");
    roff.paragraphs(&format!("{}.\n{}", sub.summary, sub.details));
    if children(sub.path, program).next().is_some() {
        roff.commands(sub.path, program);
    }
    roff.options(sub.level);
    roff.environment(sub.level);
    roff.section("EXIT STATUS");
    roff.line(&format!("0 on success; {}(1) lists the others.", bold(program.name())));
    roff.examples(sub.examples, program);
    let above = (sub.path.len() > 1).then(|| page_name(&sub.path[..1], program));
    let below = children(sub.path, program).map(|sub| page_name(sub.path, program));
    roff.see_also([program.name().to_owned()].into_iter().chain(above).chain(below).collect());
    Page { file_name: format!("{name}.1"), text: roff.text }
}

fn page_name(path: &[&str], program: Program) -> String {
    format!("{}-{}", program.name(), path.join("-"))
}

/// A page as it grows. What is handed in as markup has been escaped.
struct Roff {
    text: String,
}

impl Roff {
    fn new(name: &str, summary: &str) -> Self {
        let title = escaped(&name.to_uppercase());
        let version = escaped(concat!("ksops ", env!("CARGO_PKG_VERSION")));
        // No date: the page shall be the same whenever it is made.
        let head = format!(".TH \"{title}\" \"1\" \"\" \"{version}\" \"ksops manual\"\n");
        let mut roff = Self { text: head };
        // Words are not broken, so that they can be searched for.
        roff.macros(".nh\n.ad l\n");
        roff.section("NAME");
        roff.line(&format!("{} \\- {}", escaped(name), escaped(summary)));
        roff
    }

    fn macros(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    /// A line of text; one that would be read as a request is guarded.
    fn line(&mut self, markup: &str) {
        if markup.starts_with(['.', '\'']) {
            self.text.push_str("\\&");
        }
        self.text.push_str(markup);
        self.text.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.text.push_str(&format!(".SH \"{title}\"\n"));
    }

    fn paragraphs(&mut self, text: &str) {
        for (number, paragraph) in text.split('\n').filter(|paragraph| !paragraph.is_empty()).enumerate() {
            if number > 0 {
                self.macros(".PP\n");
            }
            self.line(&escaped(paragraph));
        }
    }

    fn tagged(&mut self, tag: &str, body: &str) {
        self.macros(".TP\n");
        self.line(tag);
        self.line(body);
    }

    fn commands(&mut self, parent: &[&str], program: Program) {
        self.section("COMMANDS");
        for sub in children(parent, program) {
            let name = sub.path.last().copied().unwrap_or_default();
            let page = page_name(sub.path, program);
            self.tagged(&bold(name), &format!("{}. See {}(1).", escaped(sub.summary), bold(&page)));
        }
    }

    fn options(&mut self, level: Levels) {
        self.section("OPTIONS");
        for flag in FLAGS.iter().filter(|flag| flag.levels.meets(level)) {
            self.tagged(&tag(flag), &format!("{}.", escaped(flag.help)));
        }
    }

    fn environment(&mut self, level: Levels) {
        let flags = FLAGS.iter().filter(|flag| flag.levels.meets(level) && !flag.variable.is_empty());
        let flags: Vec<&Flag> = flags.collect();
        if flags.is_empty() {
            return;
        }
        self.section("ENVIRONMENT");
        for flag in flags {
            let body = format!("Stands in for {} where that is absent.", bold(&format!("--{}", flag.name)));
            self.tagged(&bold(flag.variable), &body);
        }
    }

    fn examples(&mut self, lines: &[&str], program: Program) {
        if lines.is_empty() {
            return;
        }
        self.section("EXAMPLES");
        self.macros(".nf\n");
        for line in lines {
            self.line(&escaped(&line.replacen("{}", program.name(), 1)));
        }
        self.macros(".fi\n");
    }

    fn see_also(&mut self, names: Vec<String>) {
        self.section("SEE ALSO");
        let names: Vec<String> = names.iter().map(|name| format!("{}(1)", bold(name))).collect();
        self.line(&names.join(", "));
    }
}

fn tag(flag: &Flag) -> String {
    let mut text = bold(&format!("--{}", flag.name));
    match flag.alias.len() {
        0 => {}
        1 => text.push_str(&format!(", {}", bold(&format!("-{}", flag.alias)))),
        _ => text.push_str(&format!(", {}", bold(&format!("--{}", flag.alias)))),
    }
    if !matches!(flag.kind, Kind::Switch { .. }) {
        text.push_str(&format!(" {}", italic(flag.hint)));
    }
    text
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// The text with everything escaped that roff reads or prints otherwise: dashes and quotes stay as they are typed.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        match sign {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            sign if sign.is_ascii() => out.push(sign),
            sign => out.push_str(&format!("\\[u{:04X}]", u32::from(sign))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, page, pages};
    use crate::args::command::SUBCOMMANDS;
    use crate::args::level::Levels;
    use crate::args::program::Program::Ksops;
    use crate::args::table::FLAGS;

    #[test]
    fn every_command_has_a_page_with_every_flag_of_its_level() {
        let all = pages(Ksops);
        assert_eq!(all.len(), SUBCOMMANDS.len() + 1);
        let top = (Vec::new(), Levels::TOP);
        for (path, level) in SUBCOMMANDS.iter().map(|sub| (sub.path.to_vec(), sub.level)).chain([top]) {
            let page = page(&path, Ksops).expect("a page");
            assert!(
                all.iter().any(|one| one.file_name == page.file_name && one.text == page.text),
                "{path:?}"
            );
            for flag in FLAGS.iter().filter(|flag| flag.levels.meets(level)) {
                let tag = format!("\n\\fB{}\\fR", escaped(&format!("--{}", flag.name)));
                assert!(page.text.contains(&tag), "{path:?}: --{}", flag.name);
                assert!(page.text.contains(&escaped(flag.help)), "{path:?}: --{}", flag.name);
                assert!(flag.variable.is_empty() || page.text.contains(flag.variable), "{}", flag.name);
            }
        }
        assert!(page(&["nope"], Ksops).is_none());
    }

    #[test]
    fn nothing_is_read_as_a_request() {
        assert_eq!(escaped(r#"\a-'b"`^~…"#), r"\ea\-\(aqb\(dq\(ga\(ha\(ti\[u2026]");
        for page in pages(Ksops) {
            for line in page.text.lines().filter(|line| line.starts_with(['.', '\''])) {
                let request = line.split(' ').next().unwrap_or_default();
                let known = [".TH", ".SH", ".TP", ".PP", ".nf", ".fi", ".br", ".nh", ".ad"];
                assert!(known.contains(&request), "{}: {line}", page.file_name);
            }
        }
    }
}
