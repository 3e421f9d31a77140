package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

// record answers `cargo xtask diff` with the artifacts that the library records: one line of JSON per question, one per answer.
func record() error {
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		var question struct {
			Directory string
			Artifacts []string
			Options   struct {
				Excludes  []string `json:"exclude_patterns"`
				Base      string   `json:"base_path"`
				Follow    bool     `json:"follow_symlink_dirs"`
				Normalise bool     `json:"normalize_line_endings"`
				Prefixes  []string `json:"lstrip_paths"`
			}
		}
		if err := json.Unmarshal(questions.Bytes(), &question); err != nil {
			return err
		}
		if err := os.Chdir(question.Directory); err != nil {
			return err
		}
		// It has no base path; its users change the directory.
		if base := question.Options.Base; base != "" {
			if err := os.Chdir(base); err != nil {
				return err
			}
		}
		options := question.Options
		answer := map[string]any{}
		recorded, err := intoto.RecordArtifacts(
			question.Artifacts, []string{"sha256"}, options.Excludes, options.Prefixes, options.Normalise, options.Follow)
		if err != nil {
			answer["error"] = err.Error()
		} else {
			artifacts := map[string]any{}
			for name, digests := range recorded {
				artifacts[name] = digests["sha256"]
			}
			answer["artifacts"] = artifacts
		}
		line, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return questions.Err()
}
