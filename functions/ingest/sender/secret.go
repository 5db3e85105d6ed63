package sender

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/fault"
)

// Secret is what a source's signatures are checked with. It shows itself to no log.
type Secret struct {
	shared []byte            // of HMAC-SHA256
	public ed25519.PublicKey // instead
}

// ParseSecret reads "whsec_…", a shared secret of 24 to 64 bytes, or "whpk_…", a public Ed25519 key; both in base64.
// The error repeats nothing of it.
func ParseSecret(text string) (Secret, error) {
	if key, ok := strings.CutPrefix(text, "whsec_"); ok {
		b, err := base64.StdEncoding.DecodeString(key)
		if err != nil || len(b) < 24 || len(b) > 64 {
			return Secret{}, fault.Errorf(fault.Invalid, "a shared secret is whsec_ and 24 to 64 bytes in base64")
		}
		return Secret{shared: b}, nil
	}
	if key, ok := strings.CutPrefix(text, "whpk_"); ok {
		b, err := base64.StdEncoding.DecodeString(key)
		if err != nil || len(b) != ed25519.PublicKeySize {
			return Secret{}, fault.Errorf(fault.Invalid, "a public key is whpk_ and %d bytes in base64", ed25519.PublicKeySize)
		}
		return Secret{public: b}, nil
	}
	return Secret{}, fault.Errorf(fault.Invalid, "a secret begins with whsec_ or whpk_")
}

// String hides the secret.
func (Secret) String() string { return "hidden" }

// GoString hides it from %#v too.
func (Secret) GoString() string { return "hidden" }

// LogValue hides it from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("hidden") }

// signatureVersion is the mark of the signatures that the secret makes.
func (s Secret) signatureVersion() string {
	if s.public != nil {
		return "v1a"
	}
	return "v1"
}

// hasMade reports whether a signature, in base64, is this secret's.
func (s Secret) hasMade(signature, id, stamp string, body []byte) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	head := id + "." + stamp + "."
	if s.public != nil {
		return len(got) == ed25519.SignatureSize && ed25519.Verify(s.public, slices.Concat([]byte(head), body), got)
	}
	mac := hmac.New(sha256.New, s.shared)
	mac.Write([]byte(head))
	mac.Write(body)
	return subtle.ConstantTimeCompare(mac.Sum(nil), got) == 1
}
