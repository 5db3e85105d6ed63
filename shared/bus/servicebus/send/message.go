package send

import (
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf16"

	"github.com/onepane/onepane/shared/bus/servicebus/pack"
)

// brokerProperties returns the properties that the broker reads, as the header of that name has them: a JSON object.
func brokerProperties(m pack.Message) string {
	b := append([]byte(`{"MessageId":`), quoteASCII(m.ID)...)
	if m.Session != "" {
		b = append(append(b, `,"SessionId":`...), quoteASCII(m.Session)...)
	}
	return string(append(b, '}'))
}

// setProperties adds the properties for people who look at the queue: each header that the API does not know is one, a
// string in quotes. Their names keep their case.
func setProperties(h http.Header, m pack.Message) {
	h["events"] = []string{strconv.Itoa(m.Events)}
	if m.Encoding != "" {
		h["encoding"] = []string{`"` + m.Encoding + `"`}
	}
}

// quoteASCII returns s as a JSON string in ASCII. A session is any tenant's name, and only ASCII is safe in a header.
func quoteASCII(s string) []byte {
	b := []byte{'"'}
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~' && r != '"' && r != '\\':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}
