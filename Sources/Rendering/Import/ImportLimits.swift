public import Imaging

/// What a scene may ask of the machine; each is checked before what it bounds is allocated.
public struct ImportLimits: Hashable, Sendable {
    /// Bytes of JSON.
    public var jsonBytesMax = 64 << 20
    /// Nodes reached from the scene.
    public var nodesMax = 1 << 20
    /// Nodes with meshes, each as often as EXT_mesh_gpu_instancing puts it.
    public var instancesMax = 1 << 21
    /// Bytes of all buffer views that were compressed.
    public var decodedBytesMax = 1 << 32
    /// Elements of one accessor.
    public var elementsMax = 1 << 26
    /// Elements of an accessor without a buffer view, which are all zero and cost the file nothing.
    public var elementsFromNothingMax = 1 << 20
    /// Vertices and triangles of the whole scene as it is stored: those of shared meshes once.
    public var verticesMax = 1 << 25
    public var trianglesMax = 1 << 25
    /// Triangles as they are drawn, each as often as it is used.
    public var drawnTrianglesMax = 1 << 29
    /// Numbers read from animation samplers, each as often as a channel reads it.
    public var animationValuesMax = 1 << 26
    /// Vertices times morph targets that count.
    public var morphedVerticesMax = 1 << 27
    /// Texels of all decoded images.
    public var texelsMax = 1 << 28
    public var lightsMax = 1 << 16
    /// One image: longer ones than elsewhere, since a strip may be a texture too.
    public var image = ImageLimits(
        sideMax: 1 << 17, pixelsMax: ImageLimits.standard.pixelsMax)

    public init() {}
}
