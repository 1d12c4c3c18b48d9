internal import Core

/// A use of a shared mesh as kernels read it: ``BlobLayout/InstanceWord``.
struct InstanceRecord {
    private(set) var words = [UInt32](
        repeating: 0, count: BlobLayout.Section.instances.stride)

    private typealias Word = BlobLayout.InstanceWord

    /// The world, as if it were one mesh where it is.
    static func world(_ scene: Scene, pad: Float) -> InstanceRecord {
        var record = InstanceRecord()
        record.set(Word.toMesh, .identity)
        record.set(Word.toWorld, .identity)
        record.setNormals(.identity)
        record.words[Word.handedness] = Float(1).bitPattern
        record.words[Word.pad] = pad.bitPattern
        for axis in 0..<3 {
            record.words[Word.low + axis] = Float(-0x1p120).bitPattern
            record.words[Word.high + axis] = Float(0x1p120).bitPattern
        }
        record.words[Word.count] = UInt32(scene.worldTriangles.count)
        return record
    }

    private init() {}

    /// Instance `index` of the scene.
    ///
    /// - Parameters:
    ///   - start: the number of its first triangle among all that are drawn.
    ///   - root: of its mesh's tree.
    ///   - pad: how much boxes in the mesh's space are widened.
    ///   - box: where it is in the world, widened.
    init(
        _ scene: Scene, _ index: Int, start: Int, root: UInt32, pad: Float, box: Box
    ) throws(Failure) {
        let instance = scene.instances[index]
        let triangles = scene.meshes[instance.mesh].triangles
        set(Word.toMesh, try scene.inverse(ofInstance: index))
        set(Word.toWorld, Affine(instance.placement))
        setNormals(Affine(instance.placement))
        words[Word.handedness] = Float(instance.placement.isMirroring ? -1 : 1).bitPattern
        words[Word.root] = root
        words[Word.pad] = pad.bitPattern
        words[Word.shift] = UInt32(start) &- UInt32(triangles.lowerBound)
        for axis in 0..<3 {
            words[Word.low + axis] = box.low[axis].bitPattern
            words[Word.high + axis] = box.high[axis].bitPattern
        }
        words[Word.first] = UInt32(triangles.lowerBound)
        words[Word.count] = UInt32(triangles.count)
    }

    private mutating func set(_ word: Int, _ transform: Affine) {
        for row in 0..<3 {
            let columns = [
                transform.x[row], transform.y[row], transform.z[row], transform.translation[row],
            ]
            for (column, value) in columns.enumerated() {
                words[word + 4 * row + column] = Float(value).withoutSubnormals.bitPattern
            }
        }
    }

    /// What turns normals, so that its largest number is one.
    private mutating func setNormals(_ transform: Affine) {
        let cofactors = transform.cofactors
        let side: Double = transform.isMirroring ? -1 : 1
        let columns = [cofactors.x * side, cofactors.y * side, cofactors.z * side]
        let largest = columns.reduce(0) {
            max($0, $1.x.magnitude, $1.y.magnitude, $1.z.magnitude)
        }
        for row in 0..<3 {
            for (column, value) in columns.enumerated() {
                words[Word.normal + 3 * row + column] =
                    Float(value[row] / largest).withoutSubnormals.bitPattern
            }
        }
    }
}
