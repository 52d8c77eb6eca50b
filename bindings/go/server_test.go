package lambdaexecutor_test

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// serve starts lambda-executor-local, which outlives executors, and returns a configuration for it. The program is that of the
// installed library.
func serve(t testing.TB, options ...string) map[string]any {
	bindir, err := osexec.Command("pkg-config", "--variable=bindir", "lambda_executor").Output()
	if err != nil {
		t.Fatal("pkg-config does not know lambda_executor: ", err)
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	server := osexec.Command(filepath.Join(strings.TrimSpace(string(bindir)), "lambda-executor-local"),
		append([]string{"--exit-with-stdin", "--ready-file", ready}, options...)...)
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		server.Wait()
	})
	var served struct {
		Config          map[string]any
		AccessKeyID     string `json:"access_key_id"`
		SecretAccessKey string `json:"secret_access_key"`
	}
	eventually(t, "lambda-executor-local serves", func() bool {
		text, err := os.ReadFile(ready)
		return err == nil && json.Unmarshal(text, &served) == nil
	})
	served.Config["credentials"] = map[string]string{
		"access_key_id": served.AccessKeyID, "secret_access_key": served.SecretAccessKey,
	}
	return served.Config
}
