package book

import "context"

// VerifyIn verifies in pages of another size, and with another number of workers.
func (b *Book) VerifyIn(ctx context.Context, pageBits uint, workers int, progress func(done, of int64)) (Verification, error) {
	return b.verify(ctx, verifyShape{pageBits, workers}, progress)
}
