import Core
import Rendering
import Testing

@Suite struct RenderQuoteTests {
    /// Seconds of a tile's sample in a frame whose middle is dear.
    private func cost(_ tile: Int, _ parameters: RenderParameters) -> Double {
        let x = Double(tile % parameters.tilesWide) / Double(parameters.tilesWide) - 0.5
        let y = Double(tile / parameters.tilesWide) / Double(parameters.tilesHigh) - 0.5
        return 1e-4 * (1 + (x * x + y * y < 0.1 ? 6 : 0))
    }

    private func seconds(_ piece: RenderPiece, _ parameters: RenderParameters) -> Double {
        piece.tiles.reduce(0) { $0 + cost($1, parameters) } * Double(piece.samples.count)
    }

    private func samples(_ piece: RenderPiece, _ parameters: RenderParameters) -> Int {
        piece.tiles.reduce(0) { sum, tile in
            let size = parameters.size(ofTile: tile)
            return sum + size.width * size.height * piece.samples.count
        }
    }

    @Test func piecesLieEvenly() {
        for parameters in [
            RenderParameters(width: 640, height: 360, samples: 256),
            RenderParameters(width: 1920, height: 1080, samples: 4),
            RenderParameters(width: 20, height: 20, samples: 1),
        ] {
            let pieces = RenderQuote.pieces(of: parameters)
            #expect(Set(pieces.map(\.tiles.lowerBound)).count == pieces.count)
            #expect(pieces.allSatisfy { $0.tiles.upperBound <= parameters.tileCount })
            #expect(pieces.allSatisfy { !$0.tiles.isEmpty && !$0.samples.isEmpty })
            let count = pieces.count
            guard count > 50 else { continue }
            // Of any first ones, no quarter of the frame has more than twice its part.
            for taken in [8, 16, 40] {
                for quarter in 0..<4 {
                    let inside = pieces.prefix(taken).count {
                        $0.tiles.lowerBound * 4 / parameters.tileCount == quarter
                    }
                    #expect(inside * 4 <= taken * 2, "\(taken): \(quarter): \(inside)")
                }
            }
        }
    }

    @Test func aDearMiddleIsNotMissed() throws {
        let parameters = RenderParameters(width: 1280, height: 720, samples: 256)
        let whole = RenderPiece(wholeOf: parameters)
        let truth = seconds(whole, parameters)
        let pieces = RenderQuote.pieces(of: parameters)
        for count in [20, 60, 200, pieces.count] {
            let probes = pieces.prefix(count).map {
                RenderQuote.Probe(
                    samples: samples($0, parameters), seconds: seconds($0, parameters))
            }
            let quote = RenderQuote(
                probes, sampleCount: samples(whole, parameters), pieceCount: pieces.count)
            let off = (quote.computeSeconds / truth - 1).magnitude
            let stated = try #require(quote.relativeError)
            #expect(off < 0.25, "\(count): \(off)")
            #expect(off <= stated + 0.02, "\(count): \(off), stated \(stated)")
            #expect(count < pieces.count || stated == 0)
        }
    }

    @Test func fewProbesTellNothingOfTheirError() {
        let probe = RenderQuote.Probe(samples: 1000, seconds: 0.5)
        let quote = RenderQuote([probe, probe], sampleCount: 4000, pieceCount: 10)
        #expect(quote.relativeError == nil)
        #expect(quote.computeSeconds == 2)
    }
}
