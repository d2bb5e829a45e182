// Command yaml-emit prints trees as sops's YAML store does, and node trees as go-yaml does, one line for each line of input.
//
// An input line is a JSON object. {"indent": n, "documents": [...]} holds trees, {"indent": n, "value": ...} a single
// value, and {"indent": n, "text": "hex"} a YAML text that is read into nodes and printed again. The answer is the
// printed text in hexadecimal, or "!" and the error.
//
// A node is {"m": [entries]}, {"l": [nodes]}, {"c": comment} or a scalar: {"s": string}, {"i": int}, {"f": float},
// {"b": bool}, {"t": RFC 3339}, {"n": 0}. An entry is {"k": key, "v": node} or {"c": comment}; "inline": true goes
// with a comment. All strings but moments and numbers are in hexadecimal.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	store "github.com/getsops/sops/v3/stores/yaml"
	"go.yaml.in/yaml/v3"
)

type request struct {
	Indent    int    `json:"indent"`
	Documents []node `json:"documents"`
	Value     *node  `json:"value"`
	Text      *bytesInHex
}

type node struct {
	Map     *[]entry    `json:"m"`
	List    *[]node     `json:"l"`
	Comment *bytesInHex `json:"c"`
	Inline  bool        `json:"inline"`
	String  *bytesInHex `json:"s"`
	Int     *string     `json:"i"`
	Float   *string     `json:"f"`
	Bool    *bool       `json:"b"`
	Moment  *string     `json:"t"`
}

type entry struct {
	Key     bytesInHex  `json:"k"`
	Value   *node       `json:"v"`
	Comment *bytesInHex `json:"c"`
	Inline  bool        `json:"inline"`
}

type bytesInHex string

func (text *bytesInHex) UnmarshalJSON(quoted []byte) error {
	bytes, err := hex.DecodeString(string(bytes.Trim(quoted, `"`)))
	*text = bytesInHex(bytes)
	return err
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		text, err := answer(line)
		if err != nil {
			fmt.Fprintf(out, "!%s\n", strconv.Quote(err.Error()))
		} else {
			fmt.Fprintf(out, "%x\n", text)
		}
		out.Flush()
	}
}

func answer(line []byte) (text []byte, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = fmt.Errorf("crash: %v", crash)
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	if asked.Text != nil {
		return reprint([]byte(*asked.Text), asked.Indent)
	}
	printer := store.NewStore(&config.YAMLStoreConfig{Indent: asked.Indent})
	if asked.Value != nil {
		return printer.EmitValue(asked.Value.tree())
	}
	var branches sops.TreeBranches
	for _, document := range asked.Documents {
		branches = append(branches, branch(*document.Map))
	}
	return printer.EmitPlainFile(branches)
}

func branch(entries []entry) sops.TreeBranch {
	result := sops.TreeBranch{}
	for _, entry := range entries {
		if entry.Comment != nil {
			comment := sops.Comment{Value: string(*entry.Comment), Inline: entry.Inline}
			result = append(result, sops.TreeItem{Key: comment})
		} else {
			result = append(result, sops.TreeItem{Key: string(entry.Key), Value: entry.Value.tree()})
		}
	}
	return result
}

func (n *node) tree() interface{} {
	switch {
	case n.Map != nil:
		return branch(*n.Map)
	case n.List != nil:
		list := []interface{}{}
		for _, item := range *n.List {
			list = append(list, item.tree())
		}
		return list
	case n.Comment != nil:
		return sops.Comment{Value: string(*n.Comment), Inline: n.Inline}
	case n.String != nil:
		return string(*n.String)
	case n.Int != nil:
		int, err := strconv.Atoi(*n.Int)
		must(err)
		return int
	case n.Float != nil:
		float, err := strconv.ParseFloat(*n.Float, 64)
		must(err)
		return float
	case n.Bool != nil:
		return *n.Bool
	case n.Moment != nil:
		moment, err := time.Parse(time.RFC3339Nano, *n.Moment)
		must(err)
		return moment
	}
	return nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Reads all documents into nodes and prints them.
func reprint(text []byte, indent int) ([]byte, error) {
	var out bytes.Buffer
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(indent)
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := encoder.Encode(&document); err != nil {
			return nil, err
		}
	}
	err := encoder.Close()
	return out.Bytes(), err
}
