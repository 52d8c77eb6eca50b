package lambdaexecutor_test

import (
	"os"
	osexec "os/exec"
	"strings"
	"testing"
)

// If the package cannot be built, the only message of the compiler says what is needed.
func TestOtherPlatforms(t *testing.T) {
	for _, platform := range []string{"CGO_ENABLED=0", "GOOS=darwin", "GOOS=windows", "GOARCH=arm64", "GOOS=darwin CGO_ENABLED=1"} {
		build := osexec.Command("go", "build", ".")
		build.Env = append(os.Environ(), strings.Fields(platform)...)
		output, err := build.CombinedOutput()
		if err == nil {
			t.Errorf("%s: builds", platform)
		}
		said := string(output)
		if strings.Count(said, "undefined: ") != 1 || !strings.Contains(said, "undefined: needs_Linux_and_cgo__") {
			t.Errorf("%s:\n%s", platform, said)
		}
	}
}
