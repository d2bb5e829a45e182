// Command go-regexp tells what Go's regexp package makes of patterns: the oracle for crates/ksops-core/src/pattern.rs.
//
// It reads JSON lines {"pattern": P, "texts": [T, ...]} and writes one line each: {"ok": true, "matches": [bool, ...]}
// or {"ok": false, "error": "..."}. With the argument "names" it prints, as "name<TAB>kind<TAB>value", every property
// name that \p{...} accepts in its canonical form.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"
	"unicode"
)

type question struct {
	Pattern string   `json:"pattern"`
	Texts   []string `json:"texts"`
}

type answer struct {
	OK      bool   `json:"ok"`
	Matches []bool `json:"matches,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "names" {
		printNames()
		return
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		if err := encoder.Encode(judge(q)); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func judge(q question) answer {
	re, err := regexp.Compile(q.Pattern)
	if err != nil {
		return answer{Error: err.Error()}
	}
	a := answer{OK: true, Matches: []bool{}}
	for _, text := range q.Texts {
		a.Matches = append(a.Matches, re.MatchString(text))
	}
	return a
}

func printNames() {
	var lines []string
	add := func(name, kind, value string) {
		verdict := "refused"
		if _, err := regexp.Compile(`\p{` + name + `}`); err == nil {
			verdict = "accepted"
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s", name, kind, value, verdict))
	}
	for name := range unicode.Categories {
		add(name, "gc", name)
	}
	for name, value := range unicode.CategoryAliases {
		add(name, "gc", value)
	}
	for name := range unicode.Scripts {
		add(name, "sc", name)
	}
	for _, name := range []string{"Any", "Assigned", "ASCII"} {
		add(name, "", name)
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
}
