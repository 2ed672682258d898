package postgres

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// The encodings of a stored body. They are in databases: the list only grows.
const (
	encodingPlain = 0
	encodingZstd  = 1
)

// codec compresses bodies. It is safe for concurrent use.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	above   int // size from which it is tried
}

func newCodec(above int) (*codec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	// The capacity that a caller gives is the limit: nothing that is stored makes us
	// take more memory than its row says.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecodeAllCapLimit(true))
	return &codec{encoder: encoder, decoder: decoder, above: above}, err
}

// encode returns a body as it is to be stored.
func (c *codec) encode(body []byte) (encoding int16, stored []byte) {
	if body == nil {
		return encodingPlain, []byte{} // nil would be NULL
	}
	if len(body) < c.above {
		return encodingPlain, body
	}
	packed := c.encoder.EncodeAll(body, nil)
	if len(packed) >= len(body) {
		return encodingPlain, body
	}
	return encodingZstd, packed
}

// decode returns a body as it came.
func (c *codec) decode(encoding int16, size int64, stored []byte) ([]byte, error) {
	switch encoding {
	case encodingPlain:
		return stored, nil
	case encodingZstd:
		body, err := c.decoder.DecodeAll(stored, make([]byte, 0, size))
		if err != nil {
			return nil, fmt.Errorf("unpack a body of %d bytes: %w", size, err)
		}
		if int64(len(body)) != size {
			return nil, fmt.Errorf("unpack a body of %d bytes: there are %d", size, len(body))
		}
		return body, nil
	default:
		return nil, fmt.Errorf("a body has encoding %d, which this holdfast does not know: use the newer one that stored it", encoding)
	}
}

func (c *codec) close() {
	_ = c.encoder.Close()
	c.decoder.Close()
}
