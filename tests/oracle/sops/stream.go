package main

import "encoding/binary"

// A splitMix is a stream of bytes that looks random, the same for the same seed on both sides of the comparison.
type splitMix struct {
	state uint64
}

var stream splitMix

func (s *splitMix) start(seed uint64) {
	s.state = seed
}

func (s *splitMix) take(length int) []byte {
	bytes := make([]byte, length)
	_, _ = s.Read(bytes)
	return bytes
}

// Read fills the buffer; its length must be a multiple of eight.
func (s *splitMix) Read(buffer []byte) (int, error) {
	for at := 0; at+8 <= len(buffer); at += 8 {
		s.state += 0x9e3779b97f4a7c15
		word := s.state
		word = (word ^ word>>30) * 0xbf58476d1ce4e5b9
		word = (word ^ word>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(buffer[at:], word^word>>31)
	}
	return len(buffer), nil
}
