package lambdaexecutor_test

import (
	"debug/elf"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// With the tag static the library is in the program, which runs where the library is not installed.
func TestStatic(t *testing.T) {
	program := filepath.Join(t.TempDir(), "run_commands")
	// Without debugging information, which is most of the archive.
	build := osexec.Command("go", "build", "-tags", "static", "-ldflags", "-s -w", "-o", program, "./examples/run_commands")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for name, wanted := range map[string]bool{program: false, os.Args[0]: true} {
		linked, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer linked.Close()
		libraries, err := linked.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		if found := strings.Contains(strings.Join(libraries, " "), "lambda_executor"); found != wanted {
			t.Errorf("%s needs %v", name, libraries)
		}
	}
	bindir, err := osexec.Command("pkg-config", "--variable=bindir", "lambda_executor").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := osexec.Command(program)
	// The programs that option local runs are found beside the library, which is not there, or on the path.
	run.Env = []string{"PATH=" + strings.TrimSpace(string(bindir)) + ":/usr/bin:/bin"}
	run.Stdin = strings.NewReader("echo from inside\n")
	output, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "# from inside") {
		t.Errorf("%v\n%s", err, output)
	}
}
