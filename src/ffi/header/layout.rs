//! Arranges what cbindgen generates the way C headers are read: in sections, each with its types, constants and
//! functions together, in the order of the sources. Part of the build script, not of the library.

use std::collections::HashMap;

/// A part of the header.
pub(crate) struct Section {
    /// Its banner.
    pub(crate) title: &'static str,
    /// The files of `src/ffi` whose items it shows. `panic_injection.rs` is in none: its export is for tests only.
    pub(crate) files: &'static [&'static str],
}

/// All parts, in order. Each item is declared before it is used.
pub(crate) const SECTIONS: [Section; 12] = [
    Section { title: "Versions", files: &["version.rs"] },
    Section { title: "Statuses", files: &["status.rs"] },
    Section { title: "Strings", files: &["strings.rs"] },
    Section { title: "Errors", files: &["error.rs"] },
    Section { title: "An executor: create, close, free", files: &["schema.rs", "handle.rs"] },
    Section { title: "States and reasons", files: &["state.rs"] },
    Section { title: "Tasks: queue, adopt, cancel", files: &["task.rs", "queue.rs", "adopt.rs", "cancel.rs"] },
    Section { title: "Events: sync, acknowledge", files: &["event.rs", "sync.rs", "batch.rs", "ack.rs"] },
    Section { title: "Waiting: one task, event loops, drain", files: &["wait.rs", "wakeup.rs", "drain.rs"] },
    Section { title: "Counts and statistics", files: &["counts.rs", "stats.rs"] },
    Section { title: "AWS: health and credentials", files: &["health.rs", "credentials.rs"] },
    Section { title: "Log", files: &["logging.rs"] },
];

/// Longest line of the header.
const WIDTH: usize = 100;

/// The value of a constant, as it is written in the sources.
pub(crate) fn constant<'a>(name: &str, sources: &'a [(&str, String)]) -> Option<&'a str> {
    let start = format!("pub const {name}: ");
    let line = sources.iter().flat_map(|(_, text)| text.lines()).find_map(|line| line.strip_prefix(&start))?;
    line.split_once(" = ")?.1.strip_suffix(';')
}

/// The header: the items of cbindgen's output between `top` and the end.
pub(crate) fn arrange(generated: &str, sources: &[(&str, String)], top: &str) -> Result<String, String> {
    let mut items = items(generated)?;
    let mut header = top.trim_end().to_owned() + "\n";
    let opaque: Vec<String> = sources
        .iter()
        .flat_map(|(_, text)| names(text))
        .filter_map(|name| items.get(&name).is_some_and(Item::is_opaque).then(|| items.remove(&name)).flatten())
        .map(|item| item.text())
        .collect();
    header += &banner("Objects");
    header += &opaque.join("\n");
    for section in SECTIONS {
        header += &banner(section.title);
        let files = section.files.iter().filter_map(|file| sources.iter().find(|(name, _)| name == file));
        let parts: Vec<Part> = files.flat_map(|(_, text)| parts(text, &mut items)).collect();
        header += &joined(&parts);
    }
    if let Some(name) = items.keys().next() {
        return Err(format!("{name} is in no section of the header"));
    }
    header += "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* LAMBDA_EXECUTOR_H */\n";
    // Compilers check the size of an array that is passed.
    header = header.replace("(char *id)", "(char id[LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE])");
    match header.lines().find(|line| line.chars().count() > WIDTH) {
        Some(long) => Err(format!("a line of the header has more than {WIDTH} columns: {long}")),
        None => Ok(header),
    }
}

fn banner(title: &str) -> String {
    let start = format!("/* ---- {title} ");
    format!("\n{start}{} */\n\n", "-".repeat(WIDTH - 3 - start.len()))
}

/// An item of cbindgen's output.
struct Item {
    name: String,
    /// Lines of its comment, without its frame.
    comment: Vec<String>,
    /// Its code, comments of members included.
    code: String,
}

/// A piece of a section, in the order of the source.
enum Part {
    /// A constant with a comment of one line.
    Constant { define: String, comment: String },
    /// Anything else, with its lines.
    Other(String),
}

impl Item {
    fn is_opaque(&self) -> bool {
        self.code.starts_with("typedef struct ") && !self.code.contains('{')
    }

    fn text(&self) -> String {
        format!("{}{}\n", comment(&self.comment, ""), self.code)
    }

    fn part(self) -> Part {
        match self.comment.as_slice() {
            [line] if self.code.starts_with("#define ") => Part::Constant { define: self.code, comment: line.clone() },
            _ => Part::Other(self.text()),
        }
    }
}

/// A comment with its frame, on one line if it fits.
fn comment(lines: &[String], indent: &str) -> String {
    if let [line] = lines
        && indent.len() + line.chars().count() + "/**  */".len() <= WIDTH
    {
        return format!("{indent}/** {line} */\n");
    }
    let lines: String = lines.iter().map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n").collect();
    format!("{indent}/**\n{lines}{indent} */\n")
}

/// The items of a source in its order, and what it has for the header as it is.
fn parts(source: &str, items: &mut HashMap<String, Item>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut raw = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("//:") {
            raw += text.strip_prefix(' ').unwrap_or(text);
            raw.push('\n');
            continue;
        }
        if !raw.is_empty() {
            parts.extend(raw.trim_end().split("\n\n").map(|piece| Part::Other(piece.to_owned() + "\n")));
            raw.clear();
        }
        if let Some(item) = declared(line).and_then(|name| items.remove(&name)) {
            parts.push(item.part());
        }
    }
    parts
}

/// One blank line between parts, none within a group of constants, whose comments are aligned.
fn joined(parts: &[Part]) -> String {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let group: Vec<(&str, &str)> = parts[at..]
            .iter()
            .map_while(|part| match part {
                Part::Constant { define, comment } => Some((define.as_str(), comment.as_str())),
                Part::Other(_) => None,
            })
            .collect();
        at += group.len().max(1);
        match &parts[at - 1] {
            Part::Other(text) => pieces.push(text.clone()),
            Part::Constant { .. } => pieces.push(constants(&group)),
        }
    }
    pieces.join("\n")
}

fn constants(group: &[(&str, &str)]) -> String {
    let column = |at: usize| {
        let widths = group.iter().filter_map(|(define, _)| define.split(' ').nth(at)).map(str::len);
        widths.max().unwrap_or_default()
    };
    let (name, value) = (column(1), column(2));
    let line = |(define, comment): &(&str, &str)| {
        let mut words = define.splitn(3, ' ').skip(1);
        let (the_name, the_value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let line = format!("#define {the_name:name$} {the_value:>value$} /**< {comment} */\n");
        if line.chars().count() > WIDTH + 1 { format!("/** {comment} */\n{define}\n") } else { line }
    };
    group.iter().map(line).collect()
}

/// Names of the items that a source declares, in order.
fn names(source: &str) -> Vec<String> {
    source.lines().filter_map(declared).collect()
}

/// The name of the item that a line of Rust declares, if C can see it.
fn declared(line: &str) -> Option<String> {
    let rest = ["pub const ", "pub type ", "pub struct ", "pub unsafe extern \"C\" fn ", "pub extern \"C\" fn "]
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().map(str::to_owned)
}

/// Reads cbindgen's output: comments in their frame, then code up to an empty line.
fn items(generated: &str) -> Result<HashMap<String, Item>, String> {
    let mut items = HashMap::new();
    let mut lines = generated.lines().peekable();
    while let Some(line) = lines.next() {
        if line != "/**" {
            match line.chars().next() {
                None | Some('#' | '}') => continue,
                Some(_) if line.starts_with("extern \"C\"") => continue,
                Some(_) => return Err(format!("an item without a comment: {line}")),
            }
        }
        let comment = framed(&mut lines);
        let mut code = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.is_empty()) {
            code.push(line);
        }
        let item = item(comment, &code)?;
        items.insert(item.name.clone(), item);
    }
    Ok(items)
}

/// The lines up to the end of a comment.
fn framed<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    lines
        .take_while(|line| line.trim() != "*/")
        .map(|line| line.trim_start().trim_start_matches('*').strip_prefix(' ').unwrap_or_default().to_owned())
        .collect()
}

fn item(comment: Vec<String>, code: &[&str]) -> Result<Item, String> {
    let first = code.first().copied().unwrap_or_default();
    let last = code.last().copied().unwrap_or_default();
    if let Some(define) = first.strip_prefix("#define ") {
        let (name, value) = define.split_once(' ').ok_or_else(|| format!("a constant without a value: {first}"))?;
        // cbindgen passes the comments of C++ on, which C89 does not have.
        let value = value.split_once("//").map_or(value, |(value, _)| value).trim();
        let value = match value.strip_prefix('-') {
            Some(_) => format!("({value})"),
            // Negative constants are statuses and timeouts; sizes and versions are unsigned.
            None if is_unsigned(name) => format!("{value}u"),
            None => value.to_owned(),
        };
        return Ok(Item { name: name.into(), comment, code: format!("#define {name} {value}") });
    }
    if first == "typedef struct {" {
        let name = last.trim_start_matches("} ").trim_end_matches(';').to_owned();
        return Ok(Item {
            code: format!("typedef struct {} {{\n{}{last}", tag(&name), members(&code[1..code.len() - 1])),
            name,
            comment,
        });
    }
    if let Some(rest) = first.strip_prefix("typedef struct ") {
        let name = rest.trim_end_matches(';').rsplit(' ').next().unwrap_or_default().to_owned();
        return Ok(Item { code: format!("typedef struct {} {name};", tag(&name)), name, comment });
    }
    if let Some(callback) = first.strip_prefix("typedef void (*") {
        let name = callback.split(')').next().unwrap_or_default().to_owned();
        let (start, parameters) = first.split_at(first.find(")(").map_or(0, |at| at + 2));
        return Ok(Item { name, comment, code: wrapped(start, parameters) });
    }
    if first.starts_with("typedef ") {
        let name = first.trim_end_matches(';').rsplit(' ').next().unwrap_or_default().to_owned();
        return Ok(Item { name, comment, code: first.into() });
    }
    function(comment, code)
}

/// C programmers expect `struct lambda_executor_task` beside `lambda_executor_task_t`; cbindgen writes no tag. Where a
/// function has that name it would hide the struct, of which `g++ -Wshadow` warns.
fn tag(name: &str) -> String {
    let tag = name.strip_suffix("_t").unwrap_or(name);
    match tag {
        "lambda_executor_counts" | "lambda_executor_str" => format!("{tag}_s"),
        _ => tag.to_owned(),
    }
}

fn is_unsigned(name: &str) -> bool {
    ["VERSION", "MAX_", "DRAIN_", "SIZE", "DEFAULT_"].iter().any(|part| name.contains(part))
}

/// The members of a struct with their comments.
fn members(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut lines = lines.iter().copied();
    while let Some(line) = lines.next() {
        if line.trim() == "/**" {
            text += &comment(&framed(&mut lines), "  ");
        } else {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// A function: its attributes and its result, then its name and its parameters.
fn function(comment: Vec<String>, code: &[&str]) -> Result<Item, String> {
    let code: Vec<&str> = code.iter().map(|line| line.trim()).collect();
    let code = code.join(" ");
    let (head, parameters) = code.split_once('(').ok_or_else(|| format!("not understood: {code}"))?;
    let (checked, head) = match head.strip_prefix("MUST_CHECK ") {
        Some(head) => ("LAMBDA_EXECUTOR_MUST_CHECK ", head),
        None => ("", head),
    };
    let at = head.rfind([' ', '*']).map_or(0, |at| at + 1);
    let (result, name) = head.split_at(at);
    let start = format!("LAMBDA_EXECUTOR_EXPORT {checked}{result}");
    let one_line = format!("{start}{name}({parameters}");
    let code = if one_line.chars().count() <= WIDTH {
        one_line
    } else {
        format!("{}\n{}", start.trim_end(), wrapped(&format!("{name}("), parameters))
    };
    Ok(Item { name: name.into(), comment, code })
}

/// Parameters below each other's first, as many on a line as fit.
fn wrapped(start: &str, parameters: &str) -> String {
    let mut text = start.to_owned();
    let mut column = start.len();
    for (at, parameter) in parameters.split(", ").enumerate() {
        let size = parameter.chars().count() + 1;
        if at > 0 && column + size + 1 > WIDTH {
            text += &format!(",\n{}", " ".repeat(start.len()));
            column = start.len();
        } else if at > 0 {
            text += ", ";
            column += 2;
        }
        text += parameter;
        column += size - 1;
    }
    text
}
