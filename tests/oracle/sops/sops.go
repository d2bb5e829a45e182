package main

import (
	"fmt"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	"github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"
	"github.com/getsops/sops/v3/version"
)

// What stands in the metadata for the data key; nobody opens it, for both sides are handed the data key.
const (
	recipient        = "age1differential"
	encryptedDataKey = "-----BEGIN AGE ENCRYPTED FILE-----\nnone\n-----END AGE ENCRYPTED FILE-----\n"
)

// The version before which files with AWS keys need another reading.
const kmsBugFixed = "3.3.0"

type encryptRequest struct {
	text         []byte
	indent       int
	input        string
	output       string
	rule         string
	parameter    string
	macOnly      bool
	lastModified int64
	seed         uint64
}

// store gives the store of a format; an indentation below zero means the format's default.
func store(format string, indent int) sops.Store {
	switch format {
	case "yaml":
		return yaml.NewStore(&config.YAMLStoreConfig{Indent: max(indent, 0)})
	case "json":
		return json.NewStore(&config.JSONStoreConfig{Indent: indent})
	case "binary":
		return json.NewBinaryStore(&config.JSONBinaryStoreConfig{Indent: indent})
	case "dotenv":
		return dotenv.NewStore(&config.DotenvStoreConfig{})
	case "ini":
		return ini.NewStore(&config.INIStoreConfig{})
	default:
		panic("unknown format " + format)
	}
}

func failed(class int, format string, err error) outcome {
	return outcome{class: fmt.Sprint(class), message: fmt.Sprintf(format, err)}
}

// emit loads a text and prints it again.
func emit(text []byte, store sops.Store) outcome {
	branches, err := store.LoadPlainFile(text)
	if err != nil {
		return failed(2, "Error unmarshalling file: %s", err)
	}
	printed, err := store.EmitPlainFile(branches)
	if err != nil {
		return failed(4, "Error dumping file: %s", err)
	}
	return outcome{class: "0", text: printed}
}

// encrypt does what `sops encrypt` does, with the data key and the nonces drawn from the stream of the seed.
func encrypt(request encryptRequest) outcome {
	stream.start(request.seed)
	input, output := store(request.input, request.indent), store(request.output, request.indent)
	branches, err := input.LoadPlainFile(request.text)
	if err != nil {
		return failed(2, "Error unmarshalling file: %s", err)
	}
	if len(branches) < 1 {
		return outcome{class: "92", message: "File cannot be completely empty"}
	}
	if output.HasSopsTopLevelKey(branches[0]) {
		return outcome{class: "203", message: "File already encrypted"}
	}
	metadata := sops.Metadata{
		KeyGroups: []sops.KeyGroup{{
			&age.MasterKey{Recipient: recipient, EncryptedKey: encryptedDataKey},
		}},
		MACOnlyEncrypted: request.macOnly,
		Version:          version.Version,
		LastModified:     time.Unix(request.lastModified, 0).UTC(),
	}
	rule := request.rule
	if single, ok := input.(sops.SingleValueStore); ok && single.IsSingleValueStore() {
		rule = "none"
		metadata.MACOnlyEncrypted = false
	}
	switch rule {
	case "none":
	case "unencrypted_suffix":
		metadata.UnencryptedSuffix = request.parameter
	case "encrypted_suffix":
		metadata.EncryptedSuffix = request.parameter
	case "unencrypted_regex":
		metadata.UnencryptedRegex = request.parameter
	case "encrypted_regex":
		metadata.EncryptedRegex = request.parameter
	case "unencrypted_comment_regex":
		metadata.UnencryptedCommentRegex = request.parameter
	case "encrypted_comment_regex":
		metadata.EncryptedCommentRegex = request.parameter
	default:
		return outcome{class: "usage", message: "unknown rule"}
	}
	tree := sops.Tree{Branches: branches, Metadata: metadata}
	key := stream.take(32)
	cipher := aes.NewCipher()
	mac, err := tree.Encrypt(key, cipher)
	if err != nil {
		return failed(23, "Error encrypting tree: %s", err)
	}
	sealed, err := cipher.Encrypt(mac, key, metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		return failed(21, "Could not encrypt MAC: %s", err)
	}
	tree.Metadata.MessageAuthenticationCode = sealed
	printed, err := output.EmitEncryptedFile(tree)
	if err != nil {
		return failed(4, "Could not marshal tree: %s", err)
	}
	return outcome{class: "0", text: printed}
}

// decrypt does what `sops decrypt` does; the data key is the one that the seed gives.
func decrypt(text []byte, seed uint64, input, output sops.Store) outcome {
	stream.start(seed)
	tree, err := input.LoadEncryptedFile(text)
	if err != nil {
		return failed(1, "%s", err)
	}
	// As the command line does before it asks for the data key.
	if _, err := version.AIsNewerThanB(kmsBugFixed, tree.Metadata.Version); err != nil {
		return failed(1, "%s", err)
	}
	key := stream.take(32)
	cipher := aes.NewCipher()
	computed, err := tree.Decrypt(key, cipher)
	if err != nil {
		return failed(25, "Error decrypting tree: %s", err)
	}
	stored, err := cipher.Decrypt(
		tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		return failed(51, "Cannot decrypt MAC: %s", err)
	}
	if stored != computed {
		return outcome{class: "51", message: "MAC mismatch"}
	}
	printed, err := output.EmitPlainFile(tree.Branches)
	if err != nil {
		return failed(4, "Error dumping file: %s", err)
	}
	return outcome{class: "0", text: printed}
}
