"""A program in Go, in its own module that requires the binding."""

import shutil
import subprocess
from pathlib import Path

from go_flags import go_flags
from prefix import Prefix
from servers import ROOT

BINDING = "github.com/lambda-executor/lambda-executor/bindings/go"
PROGRAM = f"""\
package main

import (
	"context"
	"fmt"
	"log"

	lambdaexecutor "{BINDING}"
)

func main() {{
	ex, err := lambdaexecutor.New(`{{"local": {{}}}}`)
	if err != nil {{
		log.Fatal(err)
	}}
	defer ex.Close()
	if err := ex.Queue(lambdaexecutor.Task{{Key: "greeting", Command: []string{{"echo", "hello"}}}}); err != nil {{
		log.Fatal(err)
	}}
	for event, err := range ex.All(context.Background()) {{
		if err != nil {{
			log.Fatal(err)
		}}
		fmt.Printf("%s: %s %s\\n", event.Key, event.State, event.OutputTail)
		if event.State.Final() {{
			break
		}}
	}}
}}
"""
PRINTED = "greeting: running \ngreeting: succeeded hello\n\n"


def write_module(folder: Path) -> None:
    (folder / "main.go").write_text(PROGRAM)
    (folder / "go.mod").write_text(
        f"module example.org/hello\n\ngo 1.23\n\nrequire {BINDING} v0.0.0\n\n"
        f"replace {BINDING} => {ROOT / 'bindings' / 'go'}\n"
    )


def go_environment(prefix: Prefix) -> dict[str, str]:
    """No downloads: the binding needs only the standard library. Compiled packages are reused."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    cache = subprocess.run([go, "env", "GOCACHE"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return {
        "PATH": f"{Path(go).parent}:/usr/bin:/bin",
        "GOCACHE": cache,
        "GOPATH": "/nonexistent",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        **go_flags(prefix.folder),
    }
