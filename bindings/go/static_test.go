package lambdaexecutor_test

import (
	"debug/elf"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// With the tag static, the program contains the library, and runs without an installed one. With -static too, it needs no other shared
// library, as in the container image distroless/static.
func TestStatic(t *testing.T) {
	folder := t.TempDir()
	program, alone := filepath.Join(folder, "run_commands"), filepath.Join(folder, "alone")
	// Tags and flags of docs/go.md. -s -w: without debugging information, which is most of the archive.
	for name, options := range map[string][2]string{
		program: {"static", "-s -w"},
		alone:   {"static,netgo,osusergo", "-s -w -linkmode external -extldflags -static"},
	} {
		build := osexec.Command("go", "build", "-tags", options[0], "-ldflags", options[1], "-o", name, "./examples/run_commands")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	if needed := libraries(t, os.Args[0]); !strings.Contains(needed, "lambda_executor") {
		t.Errorf("a shared one needs %s", needed)
	}
	if needed := libraries(t, program); strings.Contains(needed, "lambda_executor") || strings.Contains(needed, "gcc_s") {
		t.Errorf("a static one needs %s", needed)
	}
	if needed := libraries(t, alone); needed != "" {
		t.Errorf("one that is linked with -static needs %s", needed)
	}
	bindir, err := osexec.Command("pkg-config", "--variable=bindir", "lambda_executor").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := osexec.Command(program)
	// Option local finds its programs beside the shared library, which this program does not use, or on PATH.
	run.Env = []string{"PATH=" + strings.TrimSpace(string(bindir)) + ":/usr/bin:/bin"}
	run.Stdin = strings.NewReader("echo from inside\n")
	output, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "# from inside") {
		t.Errorf("%v\n%s", err, output)
	}
	run = osexec.Command(alone, "-config", builtin)
	run.Env, run.Stdin = []string{}, strings.NewReader("true\n")
	if output, err := run.CombinedOutput(); err != nil || !strings.Contains(string(output), "succeeded") {
		t.Errorf("%v\n%s", err, output)
	}
}

// libraries returns the shared libraries that a program needs, including the dynamic linker.
func libraries(t *testing.T, name string) string {
	linked, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	needed, err := linked.ImportedLibraries()
	if err == nil {
		err = linked.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range linked.Progs {
		if part.Type == elf.PT_INTERP {
			needed = append(needed, "a dynamic linker")
		}
	}
	return strings.Join(needed, " ")
}
