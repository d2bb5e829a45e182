// Command yaml-nodes prints the node trees that go-yaml reads, one line for each line of input.
//
// An input line is a text in hexadecimal. The answer is a line: what decoding the first document into a map says, a
// tab, and the documents (or the error that ends them) in the form that crates/ksops-yaml/examples/nodes.rs prints.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		text, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "%s\t%s\n", quote(strict(text)), documents(text))
		out.Flush()
	}
}

func quote(text string) string {
	return hex.EncodeToString([]byte(text))
}

func strict(text []byte) (result string) {
	defer func() {
		if crash := recover(); crash != nil {
			result = "crash"
		}
	}()
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(make(map[string]interface{}))
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func documents(text []byte) (result string) {
	var out strings.Builder
	defer func() {
		if crash := recover(); crash != nil {
			result = out.String() + " crash"
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if err == io.EOF {
			return out.String() + " end"
		}
		if err != nil {
			return out.String() + " error " + quote(err.Error())
		}
		print(&out, &node)
	}
}

func print(out *strings.Builder, node *yaml.Node) {
	style := node.Style &^ yaml.TaggedStyle
	tag := ""
	if node.Style&yaml.TaggedStyle != 0 {
		tag = node.Tag
	}
	value := node.Value
	if node.Kind == yaml.AliasNode {
		value = ""
	}
	fmt.Fprintf(out, "(%d %d %s %s %s %s %s %s", node.Kind, style, quote(tag), quote(value), quote(node.Anchor),
		quote(node.HeadComment), quote(node.LineComment), quote(node.FootComment))
	for _, child := range node.Content {
		print(out, child)
	}
	if node.Kind == yaml.ScalarNode {
		var value interface{}
		err := node.Decode(&value)
		fmt.Fprintf(out, " %T", value)
		if err != nil {
			out.WriteString("!")
		}
	}
	out.WriteString(")")
}
