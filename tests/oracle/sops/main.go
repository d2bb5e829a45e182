// Command sops-oracle answers questions about real sops, many in one process, for the differential tests.
//
// A frame is a number of fields, each with its length before it (all numbers: 4 bytes, little-endian). A request is
// the name of an operation and its arguments; the answer is a class, a message and up to one text. Classes are the
// exit statuses of the command line, "0" for success, or "crash" where the command line would print a Go panic.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/getsops/sops/v3/logging"
	"github.com/sirupsen/logrus"
)

// The most bytes of a frame's field, and the most fields: a limit against a caller out of step.
const (
	mostBytes  = 64 << 20
	mostFields = 16
)

func main() {
	logging.SetLevel(logrus.PanicLevel)
	// A runaway recursion ends the process; it need not fill the memory first.
	debug.SetMaxStack(16 << 20)
	// The same stream of random bytes as on the other side.
	rand.Reader = &stream
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for {
		request, err := readFrame(in)
		if err == io.EOF {
			return
		}
		if err == nil {
			err = writeFrame(out, answer(request))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// An outcome is what the command line would end with.
type outcome struct {
	class   string
	message string
	text    []byte
}

func answer(request [][]byte) (fields [][]byte) {
	var result outcome
	defer func() {
		if problem := recover(); problem != nil {
			result = outcome{class: "crash", message: fmt.Sprint(problem)}
		}
		fields = [][]byte{[]byte(result.class), []byte(result.message), result.text}
	}()
	result = perform(request)
	return nil
}

func perform(request [][]byte) outcome {
	if len(request) == 0 {
		return outcome{class: "usage", message: "no operation"}
	}
	arguments := request[1:]
	switch name := string(request[0]); {
	case name == "nodes" && len(arguments) == 1:
		return nodes(arguments[0])
	case name == "emit" && len(arguments) == 3:
		return emit(arguments[0], store(string(arguments[2]), number(arguments[1])))
	case name == "encrypt" && len(arguments) == 9:
		return encrypt(encryptRequest{
			text:         arguments[0],
			indent:       number(arguments[1]),
			rule:         string(arguments[2]),
			parameter:    string(arguments[3]),
			macOnly:      string(arguments[4]) == "1",
			lastModified: int64(number(arguments[5])),
			seed:         uint64(number(arguments[6])),
			input:        string(arguments[7]),
			output:       string(arguments[8]),
		})
	case name == "decrypt" && len(arguments) == 5:
		indent := number(arguments[1])
		input, output := store(string(arguments[3]), indent), store(string(arguments[4]), indent)
		return decrypt(arguments[0], uint64(number(arguments[2])), input, output)
	default:
		return outcome{class: "usage", message: "unknown operation " + strconv.Quote(name)}
	}
}

func number(text []byte) int {
	value, err := strconv.Atoi(string(text))
	if err != nil {
		panic(err)
	}
	return value
}

func readFrame(in io.Reader) ([][]byte, error) {
	count, err := readNumber(in)
	if err != nil {
		return nil, err
	}
	if count > mostFields {
		return nil, fmt.Errorf("a frame of %d fields", count)
	}
	fields := make([][]byte, count)
	for i := range fields {
		length, err := readNumber(in)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		if length > mostBytes {
			return nil, fmt.Errorf("a field of %d bytes", length)
		}
		fields[i] = make([]byte, length)
		if _, err := io.ReadFull(in, fields[i]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return fields, nil
}

func readNumber(in io.Reader) (uint32, error) {
	var bytes [4]byte
	if _, err := io.ReadFull(in, bytes[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(bytes[:]), nil
}

func writeFrame(out *bufio.Writer, fields [][]byte) error {
	writeNumber := func(value int) {
		// A bufio.Writer keeps its first error until the flush.
		_ = binary.Write(out, binary.LittleEndian, uint32(value))
	}
	writeNumber(len(fields))
	for _, field := range fields {
		writeNumber(len(field))
		_, _ = out.Write(field)
	}
	return out.Flush()
}
