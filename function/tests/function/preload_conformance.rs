//! A module has the same outcome in a forked process as in a new interpreter. Each program below runs both ways, in one
//! function; its output and its exit are compared byte for byte.

use crate::preload::start;
use crate::support::Function;
use serde_json::{Value, json};

const CHILDREN: &str = include_str!("programs/children.py");
const FACTS: &str = include_str!("programs/facts.py");

/// Output and exit of a program, without times and process ids.
#[derive(Debug, Eq, PartialEq)]
struct Outcome {
    ended: [Value; 4],
    stdout: String,
    stderr: String,
}

struct Both {
    function: Function,
}

impl Both {
    async fn start(files: &[(&str, &str)]) -> Self {
        let environment = [("PRE_COMMAND", r"printf 'LATIN=\344\n' > $LAMBDA_EXECUTOR_ENV_FILE"), ("LANG", "C")];
        Self { function: start(files, &environment).await }
    }

    async fn outcome(&mut self, argv: &[&str]) -> Outcome {
        let (stdout, log) = (self.function.stdout().len(), self.function.log().len());
        let event = json!({"task_key": "k", "command": argv, "executor_config": {"a": 1}, "timeout_ms": 50_000});
        let result = self.function.result_of(event).await;
        let ended = ["reason", "return_code", "signal", "output_length"].map(|field| result[field].clone());
        let stdout = without_addresses(&String::from_utf8_lossy(&self.function.stdout()[stdout..]));
        let stderr = without_addresses(&without_our_lines(&self.function.log()[log..]));
        Outcome { ended, stdout, stderr }
    }

    /// Runs a module both ways. A command that begins with `env` is not forked, since `env` is not an interpreter.
    async fn compare(&mut self, arguments: &[&str]) -> Outcome {
        let module = [&["python3", "-m"], arguments].concat();
        let log = self.function.log().len();
        let forked = self.outcome(&module).await;
        assert!(!self.function.log()[log..].contains("a new interpreter"), "{}", &self.function.log()[log..]);
        let started = self.outcome(&[&["/usr/bin/env"], module.as_slice()].concat()).await;
        for (forked, started) in [(&forked.stdout, &started.stdout), (&forked.stderr, &started.stderr)] {
            for (forked, started) in forked.lines().zip(started.lines()) {
                assert_eq!(forked, started, "{arguments:?}");
            }
            assert_eq!(forked, started, "{arguments:?}");
        }
        assert_eq!(forked.ended, started.ended, "{arguments:?}\n{forked:#?}\n{started:#?}");
        forked
    }
}

/// Removes addresses, which differ from run to run.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split(" 0x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push(' ');
        plain.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    plain
}

/// The log without the lines of the function itself, which may follow output that does not end a line.
fn without_our_lines(log: &str) -> String {
    let mut rest = String::new();
    for line in log.split_inclusive('\n') {
        rest.push_str(line.find("{\"level\":").map_or(line, |ours| &line[..ours]));
    }
    rest
}

#[tokio::test]
async fn a_module_finds_the_process_that_it_expects() {
    let mut both = Both::start(&[("facts.py", FACTS), ("package/__init__.py", ""), ("package/facts.py", FACTS)]).await;
    let outcome = both.compare(&["facts", "an argument", "", "ä\u{1f600}", "-m"]).await;
    assert!(outcome.stdout.contains("LATIN"), "{outcome:#?}");
    assert_eq!(outcome.ended[1], 0, "{outcome:#?}");
    both.compare(&["package.facts"]).await;
}

#[tokio::test]
async fn a_module_ends_as_it_would() {
    const CALLED: &str = "import package.inner\npackage.inner.call()\n";
    let inner = "import sys\ndef call():\n    raise ValueError('ä')\n";
    let programs = [
        ("raises", CALLED, 1),
        ("syntax", "x = (\n", 1),
        ("group", "try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e", 1),
        ("exit_nothing", "import sys; sys.exit()", 0),
        ("exit_3", "import sys; print('x'); sys.exit(3)", 3),
        ("exit_256", "import sys; sys.exit(256)", 0),
        ("exit_minus_1", "import sys; sys.exit(-1)", 255),
        ("exit_text", "import sys; sys.exit('why')", 1),
        ("exit_object", "raise SystemExit([1, 2])", 1),
        ("exit_raw", "import os; print('lost'); os._exit(7)", 7),
        ("aborts", "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()", -6),
        ("interrupt", "raise KeyboardInterrupt", -2),
        ("interrupted", "import os, signal; os.kill(os.getpid(), signal.SIGINT)", -2),
        ("killed", "import os, signal; print('lost'); os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("terminated", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
        (
            "handles",
            "import os, signal, sys\nsignal.signal(15, lambda *_: sys.exit(5))\nos.kill(os.getpid(), 15)\nsignal.pause()",
            5,
        ),
        ("hook", "import sys\nsys.excepthook = lambda *a: print('hook', a[0], a[2].tb_frame)\n1/0", 1),
        ("no_hook", "import sys\ndel sys.excepthook\n1/0", 1),
        ("bad_hook", "import sys\nsys.excepthook = 3\n1/0", 1),
        (
            "exits",
            "import atexit, sys\natexit.register(print, 'first')\natexit.register(print, 'second')\n\
             atexit.register(lambda: 1/0)\nsys.exit(4)",
            4,
        ),
        (
            "threads",
            "import threading, time\ngo = threading.Event()\n\
             threading.Thread(target=lambda: (go.wait(), print('thread'))).start()\n\
             threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n\
             threading.Thread(target=lambda: 1/0).start()\n\
             import atexit; atexit.register(print, 'exit')\nprint('main'); go.set()",
            0,
        ),
        (
            "unflushed",
            "import sys\nfile = open('left', 'w'); file.write('text')\n\
             class Last:\n    def __del__(self): print('deleted', open is not None)\nlast = Last()\n\
             loop = Last(); loop.self = loop",
            0,
        ),
        ("closed", "import os, sys\nprint('lost'); os.close(1)", 120),
        ("closes", "import sys\nsys.stdout.close(); sys.stdout = None; print('x')", 0),
        ("large", "import sys\nfor _ in range(30000): print('x' * 99); print('y' * 9, file=sys.stderr)", 0),
        ("faults", "import faulthandler, sys\nfaulthandler.dump_traceback(sys.stderr)", 0),
        ("warns", "import warnings\nwarnings.warn('w'); warnings.warn('d', DeprecationWarning)", 0),
        ("trace", "import traceback\ntraceback.print_stack()", 0),
        ("async", "import asyncio\nasync def f(): await asyncio.sleep(0); return 1\nprint(asyncio.run(f()))", 0),
        ("waits", "import os\ntry:\n    print(os.wait())\nexcept ChildProcessError as e:\n    print(e)", 0),
        ("children", CHILDREN, 0),
        ("memory", "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**29,) * 2)\nx = bytearray(2**30)", 1),
        ("deep", "def f(): f()\nf()", 1),
    ];
    let files: Vec<(String, &str)> = programs.iter().map(|(name, text, _)| (format!("{name}.py"), *text)).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    files.extend([("package/__init__.py", ""), ("package/inner.py", inner)]);
    let mut both = Both::start(&files).await;
    for (name, _, status) in programs {
        let outcome = both.compare(&[name]).await;
        assert_eq!(outcome.ended[1], status, "{name}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_module_is_found_as_it_would_be() {
    let facts =
        "import sys\nprint(__name__, __package__, __spec__.name, __file__, sys.argv, __name__ in sys.modules)\n";
    let relative = "from . import sister\nfrom .sister import name\nprint(name, __package__)\n";
    let loads_itself = "import package.itself\nprint(__name__)\n";
    let mut both = Both::start(&[
        ("package/__init__.py", "print('package')"),
        ("package/__main__.py", facts),
        ("package/relative.py", relative),
        ("package/itself.py", loads_itself),
        ("package/sister.py", "name = __name__\n"),
        ("package/broken/__init__.py", "import sys\ndef f():\n    raise RuntimeError('broken')\nf()\n"),
        ("package/broken/module.py", ""),
        ("package/lacks/__init__.py", "import no_such_module\n"),
        ("package/lacks/module.py", ""),
        ("package/ends/__init__.py", "import sys\nsys.exit(6)\n"),
        ("package/ends/module.py", ""),
        ("package/imports/__init__.py", "from . import module\n"),
        ("package/imports/module.py", facts),
        ("without_main/__init__.py", ""),
        ("namespace/module.py", facts),
        ("json/tool.py", "print('not the one of the standard library')"),
    ])
    .await;
    for module in [
        "package",
        "package.__main__",
        "package.relative",
        "package.itself",
        "package.broken.module",
        "package.lacks.module",
        "package.ends.module",
        "package.imports.module",
        "without_main",
        "namespace",
        "namespace.module",
        "no_such_module",
        "package.no_such_module",
        "loaded",
        "loaded.part",
        ".relative",
        "",
        "json.tool",
        "this",
        "site",
        "with space",
    ] {
        both.compare(&[module]).await;
    }
}
