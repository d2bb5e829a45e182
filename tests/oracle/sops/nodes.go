package main

import (
	"bytes"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// nodes reads a text as the YAML store does and writes down every node: what it is, its text and its comments.
func nodes(text []byte) outcome {
	if len(text) > 0 {
		if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(make(map[string]interface{})); err != nil {
			return failed(2, "Error unmarshalling file: %s", err)
		}
	}
	var written bytes.Buffer
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if err == io.EOF {
			return outcome{class: "0", text: written.Bytes()}
		}
		if err != nil {
			return failed(2, "Error unmarshalling file: %s", err)
		}
		write(&written, &document, 0)
	}
}

func write(out *bytes.Buffer, node *yaml.Node, depth int) {
	kinds := map[yaml.Kind]string{
		yaml.DocumentNode: "document",
		yaml.SequenceNode: "sequence",
		yaml.MappingNode:  "mapping",
		yaml.ScalarNode:   "scalar",
		yaml.AliasNode:    "alias",
	}
	for range depth {
		out.WriteString("  ")
	}
	out.WriteString(kinds[node.Kind])
	field := func(name, text string) {
		if text != "" {
			fmt.Fprintf(out, " %s %d:%s", name, len(text), text)
		}
	}
	if node.Kind == yaml.ScalarNode {
		field("value", node.Value)
	}
	field("anchor", node.Anchor)
	if node.Kind == yaml.AliasNode {
		field("of", node.Value)
	}
	field("head", node.HeadComment)
	field("line", node.LineComment)
	field("foot", node.FootComment)
	out.WriteString("\n")
	for _, child := range node.Content {
		write(out, child, depth+1)
	}
}
